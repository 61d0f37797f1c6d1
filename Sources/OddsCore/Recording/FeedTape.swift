/// Something recorded that can be gone through again, as often as somebody asks for it: what an exchange that only plays
/// serves. Opening and reading may wait for a disk.
public protocol FeedTape: Sendable {
    /// What it is called in messages, such as its path.
    var name: String { get }
    /// Stands before the first row.
    ///
    /// - Throws: why it cannot be read, and what to do.
    func open() throws -> any FeedTapeReader
}

/// Goes through a tape, row by row, in memory that does not grow with it. For one caller at a time.
public protocol FeedTapeReader: AnyObject {
    /// The next row; nil at the end.
    func next() -> FeedTapeRow?
    /// What could not be read so far, in sentences.
    var problems: [String] { get }
}

/// One row of a tape.
public struct FeedTapeRow: Sendable {
    /// What a row says.
    public enum Content: Sendable {
        /// A text message came on a connection of that number.
        case message([UInt8], on: FeedChannel, connection: Int)
        /// Something happened to a connection of that number.
        case connection(FeedConnectionEvent, on: FeedChannel, connection: Int)
        /// A REST API answered, or did not.
        case answer(RESTExchange)
        /// What to follow was told, or something was found out about it.
        case command(FeedCommand)
        /// Another run of the recorder begins: every connection of the one before is gone.
        case run
    }

    /// When, in nanoseconds since 1970; not before the row before.
    public var time: Int64
    /// What it says.
    public var content: Content

    /// A row from its parts.
    public init(time: Int64, content: Content) {
        self.time = time
        self.content = content
    }
}
