#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What a recording's `manifest.json` says: everything about the recording but the rows.
///
/// It names no machine and no path of one. Times are nanoseconds since 1970. Keys are written in snake case.
public struct RecordingManifest: Hashable, Sendable, Codable {
    /// The schema's name.
    public static let schema = "oddstream.recording/1"
    /// The name of its file.
    public static let fileName = "manifest.json"

    /// One run of the program.
    public struct Run: Hashable, Sendable, Codable {
        /// Its name: no other run's.
        public var run: String
        /// The program's version.
        public var program: String
        /// When it began.
        public var start: Int64
        /// When it ended; nil while it runs, and when it did not end in good order and was not mended yet.
        public var end: Int64?
        /// Whether it ended in good order.
        public var isEndedInOrder: Bool
        /// What the monotonic clock showed at the beginning, in nanoseconds.
        public var monotonicStart: Int64
        /// The feed's seed as decimal digits; nil when it was not fixed.
        public var seed: String?
        /// How many lines the market channel was followed on.
        public var lines: Int
        /// The hosts that were asked: `market_channel`, `reference`, `clob`, `gamma`.
        public var endpoints: [String: String]
        /// The settings of the bot that ran beside the recorder, by the names of the program's options and as they are
        /// typed there; nil when there was none.
        public var bot: [String: String]?
        /// How far the exchange's clock was ahead of this machine's, in nanoseconds, as it was known last; nil when it
        /// was not measured.
        public var exchangeOffset: Int64?

        enum CodingKeys: String, CodingKey {
            case run, program
            case start = "start_ns"
            case end = "end_ns"
            case isEndedInOrder = "ended_in_order"
            case monotonicStart = "monotonic_start_ns"
            case seed, lines, endpoints, bot
            case exchangeOffset = "exchange_offset_ns"
        }
    }

    /// A market that was followed.
    public struct Market: Hashable, Sendable, Codable {
        /// Its condition id.
        public var id: String
        /// Its slug; empty when only the feed is known.
        public var slug: String
        /// When its window opens, in milliseconds since 1970; nil when unknown.
        public var windowStart: Int64?
        /// When its window ends, in milliseconds since 1970; nil when unknown.
        public var windowEnd: Int64?
        /// Its tokens, YES first.
        public var tokens: [String]

        enum CodingKeys: String, CodingKey {
            case id, slug
            case windowStart = "window_start_ms"
            case windowEnd = "window_end_ms"
            case tokens
        }
    }

    /// A time in which something is missing.
    public struct Gap: Hashable, Sendable, Codable {
        /// Why.
        public enum Kind: String, Hashable, Sendable, Codable {
            /// Rows were dropped.
            case lost
            /// No line was connected.
            case disconnected
        }

        /// Why.
        public var kind: Kind
        /// When it began.
        public var start: Int64
        /// When it ended; nil when it was going on at the end of the file.
        public var end: Int64?
        /// How many rows are missing; nil when that cannot be known.
        public var rows: UInt64?

        enum CodingKeys: String, CodingKey {
            case kind
            case start = "start_ns"
            case end = "end_ns"
            case rows
        }
    }

    /// One file.
    public struct File: Hashable, Sendable, Codable {
        /// Its name in the directory.
        public var name: String
        /// The run it belongs to.
        public var run: String
        /// Its size in bytes, as far as it is whole.
        public var bytes: UInt64
        /// The size of its rows before they were compressed, in bytes.
        public var plainBytes: UInt64
        /// Its rows.
        public var rows: UInt64
        /// Messages and answers by channel: `0` and up for lines, `rtds`, `rest`.
        public var frames: [String: UInt64]
        /// The first row's time; nil when there is none.
        public var first: Int64?
        /// The last row's time; nil when there is none.
        public var last: Int64?
        /// SHA-256 of the first `bytes` bytes in hexadecimal digits; nil while the file is being written.
        public var sha256: String?
        /// Where something is missing.
        public var gaps: [Gap]
        /// Rows that were dropped.
        public var dropped: UInt64
        /// Whether the file ended otherwise than it should and this was found out by reading it.
        public var isMended: Bool

        enum CodingKeys: String, CodingKey {
            case name, run, bytes
            case plainBytes = "plain_bytes"
            case rows, frames
            case first = "first_ns"
            case last = "last_ns"
            case sha256, gaps, dropped
            case isMended = "mended"
        }

        init(name: String, run: String) {
            self.name = name
            self.run = run
            self.bytes = 0
            self.plainBytes = 0
            self.rows = 0
            self.frames = [:]
            self.gaps = []
            self.dropped = 0
            self.isMended = false
        }
    }

    /// A file that was deleted because the recording had reached its limit.
    public struct Deletion: Hashable, Sendable, Codable {
        /// Its name.
        public var name: String
        /// Its size in bytes.
        public var bytes: UInt64
        /// The first row's time.
        public var first: Int64?
        /// The last row's time.
        public var last: Int64?

        enum CodingKeys: String, CodingKey {
            case name, bytes
            case first = "first_ns"
            case last = "last_ns"
        }
    }

    /// The schema: `oddstream.recording/1`.
    public var schema = RecordingManifest.schema
    /// The runs, the oldest first.
    public var runs: [Run] = []
    /// The markets that were followed, in the order they were first.
    public var markets: [Market] = []
    /// The files, the oldest first.
    public var files: [File] = []
    /// Files that were deleted, the oldest first.
    public var deleted: [Deletion] = []

    /// An empty one.
    public init() {}

    /// Reads a directory's manifest.
    ///
    /// - Throws: `RecordingError` when there is none, or none that can be read.
    public static func read(in directory: String) throws(RecordingError) -> RecordingManifest {
        let path = "\(directory)/\(Self.fileName)"
        do {
            let data = try Data(contentsOf: URL(filePath: path))
            let manifest = try JSONDecoder().decode(RecordingManifest.self, from: data)
            guard manifest.schema == Self.schema else {
                throw RecordingError("It is of another kind: \(manifest.schema).")
            }
            return manifest
        } catch {
            throw RecordingError(
                "The manifest \(path) cannot be read. The rows can be read without it.", cause: error)
        }
    }

    /// What a directory's `manifest.json` is when it is JSON of another kind than a recording's; nil otherwise.
    static func otherSchema(in directory: String) -> String? {
        struct Kind: Decodable { var schema: String? }
        guard let data = try? Data(contentsOf: URL(filePath: "\(directory)/\(Self.fileName)")) else { return nil }
        do {
            let kind = try JSONDecoder().decode(Kind.self, from: data)
            guard kind.schema != Self.schema else { return nil }
            return kind.schema.map { "its schema is \($0)" } ?? "it names no schema"
        } catch DecodingError.dataCorrupted {
            // Cut, or no JSON at all.
            return nil
        } catch {
            return "it names no schema"
        }
    }

    /// Puts it into a directory, all of it or nothing of it.
    func write(in directory: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(self)
        try FileSystem.replace("\(directory)/\(Self.fileName)", with: Array(data) + [0x0A])
    }
}
