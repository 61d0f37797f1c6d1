internal import Foundation
internal import NIOPosix
internal import OddsCore

/// A recording of market-channel frames, in memory.
package struct Tape: Sendable {
    /// One recorded frame.
    struct Row: Sendable, Equatable {
        /// When it was recorded, in milliseconds; the same for all rows of a tape without times.
        var milliseconds: Int64
        var frame: [UInt8]
        /// The assets it tells of; empty for a broadcast.
        var assets: [String]
    }

    var rows: [Row] = []

    /// Reads a tape from NDJSON: rows `{"t":<ms>,"m":"<frame>"}`, or one frame a line.
    package init(ndjson: some Sequence<UInt8>) throws(SimulatorError) {
        var number = 0
        for line in Array(ndjson).split(separator: 0x0A) {
            number += 1
            let trimmed = line.last == 0x0D ? line.dropLast() : line
            guard !trimmed.isEmpty else { continue }
            guard let row = Self.row(Array(trimmed)) else {
                throw SimulatorError(
                    .tape,
                    "Line \(number) of the tape is neither {\"t\":<ms>,\"m\":\"<frame>\"} nor a JSON frame. Check the file."
                )
            }
            self.rows.append(row)
        }
        guard !self.rows.isEmpty else { throw SimulatorError(.tape, "The tape holds no frame. Check the file.") }
    }

    private static func row(_ line: [UInt8]) -> Row? {
        if line.starts(with: #"{"t":"#.utf8) {
            return Self.timed(line).map { Row(milliseconds: $0, frame: $1, assets: Self.assets(in: $1)) }
        }
        guard line.first == 0x7B || line.first == 0x5B, line.last == 0x7D || line.last == 0x5D else { return nil }
        return Row(milliseconds: 0, frame: line, assets: Self.assets(in: line))
    }

    private static func timed(_ line: [UInt8]) -> (Int64, [UInt8])? {
        var index = 5
        while index < line.count, line[index] == 0x20 { index += 1 }
        var time: Int64 = 0
        let digitsFrom = index
        while index < line.count, line[index] >= 0x30, line[index] <= 0x39, index - digitsFrom < 18 {
            time = time * 10 + Int64(line[index] - 0x30)
            index += 1
        }
        guard index > digitsFrom, let from = Self.find(Array(#""m":"#.utf8), in: line, from: index) else { return nil }
        var start = from
        while start < line.count, line[start] == 0x20 { start += 1 }
        guard start < line.count, line[start] == 0x22, let frame = Self.unescaped(line, from: start + 1) else {
            return nil
        }
        return (time, frame)
    }

    /// A JSON string's content, from behind its first quote to its last; nil when it is broken.
    private static func unescaped(_ line: [UInt8], from start: Int) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(line.count - start)
        var index = start
        while index < line.count {
            let byte = line[index]
            if byte == 0x22 { return result }
            guard byte == 0x5C else {
                result.append(byte)
                index += 1
                continue
            }
            guard index + 1 < line.count else { return nil }
            switch line[index + 1] {
            case 0x22, 0x5C, 0x2F: result.append(line[index + 1])
            case 0x6E: result.append(0x0A)
            case 0x72: result.append(0x0D)
            case 0x74: result.append(0x09)
            case 0x62: result.append(0x08)
            case 0x66: result.append(0x0C)
            case 0x75:
                guard let (text, used) = Self.unicode(line, at: index) else { return nil }
                result.append(contentsOf: text.utf8)
                index += used
                continue
            default: return nil
            }
            index += 2
        }
        return nil
    }

    private static func unicode(_ line: [UInt8], at index: Int) -> (String, Int)? {
        func unit(_ at: Int) -> UInt32? {
            guard at + 6 <= line.count, line[at] == 0x5C, line[at + 1] == 0x75 else { return nil }
            return UInt32(String(decoding: line[at + 2..<at + 6], as: UTF8.self), radix: 16)
        }
        guard let first = unit(index) else { return nil }
        if let scalar = Unicode.Scalar(first) { return (String(scalar), 6) }
        guard first < 0xDC00, let second = unit(index + 6), (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { return nil }
        return (String(scalar), 12)
    }

    private static let assetKey = Array(#""asset_id":"#.utf8)

    /// The asset ids in a frame, each once, in order.
    private static func assets(in frame: [UInt8]) -> [String] {
        var found: [String] = []
        var index = 0
        while let after = Self.find(Self.assetKey, in: frame, from: index) {
            index = after
            while index < frame.count, frame[index] == 0x20 { index += 1 }
            guard index < frame.count, frame[index] == 0x22,
                let end = frame[(index + 1)...].firstIndex(of: 0x22)
            else { continue }
            let asset = String(decoding: frame[(index + 1)..<end], as: UTF8.self)
            if !found.contains(asset) { found.append(asset) }
            index = end
        }
        return found
    }

    /// The index behind the next occurrence of a text.
    private static func find(_ text: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= text.count else { return nil }
        var index = start
        let last = bytes.count - text.count
        while index <= last {
            if bytes[index] == text[0], bytes[index..<index + text.count].elementsEqual(text) {
                return index + text.count
            }
            index += 1
        }
        return nil
    }

    // MARK: Files

    /// Reads a tape from a file, plain or gzip, on a thread that may wait for it.
    static func read(path: String) async throws(SimulatorError) -> Tape {
        do {
            return try await NIOThreadPool.singleton.runIfActive { try Self.load(path: path) }
        } catch let error as SimulatorError {
            throw error
        } catch {
            throw SimulatorError(.tape, "The tape \(path) could not be read.", cause: error)
        }
    }

    private static func load(path: String) throws(SimulatorError) -> Tape {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw SimulatorError(
                .tape, "The tape \(path) cannot be read. Check the path and its permissions.", cause: error)
        }
        return try Tape(ndjson: data.starts(with: [0x1F, 0x8B]) ? Self.decompressed(path) : data)
    }

    /// The plain content of a gzip file, by the system's `gzip`.
    private static func decompressed(_ path: String) throws(SimulatorError) -> Data {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", "--", path]
        process.standardOutput = output
        do {
            try process.run()
            let data = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw SimulatorError(
                    .tape,
                    "gzip could not unpack \(path) (status \(process.terminationStatus)). Unpack it by hand to see why."
                )
            }
            return data
        } catch let error as SimulatorError {
            throw error
        } catch {
            throw SimulatorError(
                .tape, "\(path) is compressed and gzip could not be started. Install gzip or unpack the tape.",
                cause: error)
        }
    }
}

/// Plays a tape: time goes in, due frames come out. Time begins with the first subscription, so that nobody misses the
/// books at the beginning.
struct TapePlayer: Sendable {
    /// No more frames than this become due at once, however far the clock has moved.
    private static let burst = 500

    private let tape: Tape
    private let speed: Double
    private var position = 0
    private var begin: MonotonicTime?

    init(tape: Tape, speed: Double) {
        self.tape = tape
        self.speed = speed
    }

    /// Whether every frame has been played.
    var isAtEnd: Bool { self.position == self.tape.rows.count }

    /// Somebody has subscribed.
    mutating func subscribed(now: MonotonicTime) {
        if self.begin == nil { self.begin = now }
    }

    /// The frames that are due.
    mutating func advance(to now: MonotonicTime) -> ArraySlice<Tape.Row> {
        guard let begin = self.begin, let first = self.tape.rows.first?.milliseconds else { return [] }
        let elapsed = Double(begin.duration(to: now).wholeNanoseconds) / 1_000_000 * self.speed
        let from = self.position
        while self.position < self.tape.rows.count, self.position - from < Self.burst,
            Double(self.tape.rows[self.position].milliseconds - first) <= elapsed || self.speed == .infinity
        {
            self.position += 1
        }
        return self.tape.rows[from..<self.position]
    }
}
