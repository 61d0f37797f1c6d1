public import OddsCore

/// A recording that an exchange can play: a directory of ours, one file of it, or a tape. It is looked for when it is
/// opened.
public struct RecordedFeed: FeedTape, Hashable {
    /// Where it lies.
    public let path: String

    /// A recording by its path.
    public init(path: String) { self.path = path }

    /// The path.
    public var name: String { self.path }

    /// A reader that stands before the first row.
    ///
    /// - Throws: `RecordingError` when there is no recording.
    public func open() throws -> any FeedTapeReader { RecordedTape(try Recording(path: self.path).reader()) }
}

/// A recording's rows as an exchange that plays them takes them.
final class RecordedTape: FeedTapeReader {
    private let reader: RecordingReader
    private var run: String?
    private var latest = Int64.min

    init(_ reader: RecordingReader) { self.reader = reader }

    var problems: [String] { self.reader.damage.map(\.description) }

    func next() -> FeedTapeRow? {
        while let row = self.reader.next() {
            guard let content = self.content(row) else { continue }
            // Rows of several threads may lie a little out of order.
            self.latest = max(self.latest, row.time)
            return FeedTapeRow(time: self.latest, content: content)
        }
        return nil
    }

    private func content(_ row: RecordedRow) -> FeedTapeRow.Content? {
        let channel: FeedChannel?
        switch row.channel {
        case .line(let line): channel = .line(line)
        case .reference: channel = .reference
        case .rest, .feed: channel = nil
        }
        switch row.content() {
        case .message(let text): return channel.map { .message(text, on: $0, connection: row.connection) }
        case .connection(let event): return channel.map { .connection(event, on: $0, connection: row.connection) }
        case .answer(let exchange): return .answer(exchange)
        case .command(let command): return .command(command)
        case .note(.start(let start)):
            guard start.run != self.run else { return nil }
            self.run = start.run
            return .run
        case .note, nil: return nil
        }
    }
}
