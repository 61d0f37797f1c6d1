/// How a recording is made.
public struct RecorderConfiguration: Sendable {
    /// The directory; made when it is not there. Several runs may share it, one after the other.
    public var directory: String
    /// The program's version, for the manifest.
    public var program: String
    /// How many lines the market channel is followed on.
    public var lines: Int
    /// The feed's seed; nil when it is not fixed.
    public var seed: UInt64?
    /// How often connections are renewed, zero for never; nil when it is not to be told.
    public var renewalInterval: Duration?
    /// The hosts that are asked: `market_channel`, `reference`, `clob`, `gamma`.
    public var endpoints: [String: String]
    /// How many bytes the recording's files may have together; nil for no limit. The oldest are deleted, never the
    /// one that is being written. At least 1 MB; files are then no larger than a quarter of it.
    public var limit: UInt64?
    /// How large a file may become, in bytes, by about a block; at least 64 KB.
    public var fileSize: UInt64
    /// How much time a file may cover.
    public var fileTime: Duration
    /// How many bytes may wait to be written; at least 512 KB.
    public var bufferSize: Int
    /// How many bytes of rows go into a block before it is ended.
    public var blockSize: Int
    /// How long a block waits for more rows before it is ended: with the 100 ms until rows are taken from the buffer, what
    /// a crash can cost.
    public var blockTime: Duration
    /// How hard the compression tries: 1 (fast) to 9 (small).
    public var compression: Int

    /// The defaults for a directory: no limit, files of 256 MB and an hour, 16 MB of buffer.
    public init(directory: String, program: String, lines: Int) {
        self.directory = directory
        self.program = program
        self.lines = lines
        self.endpoints = [:]
        self.fileSize = 256_000_000
        self.fileTime = .seconds(3600)
        self.bufferSize = 16 << 20
        self.blockSize = 1 << 18
        self.blockTime = .milliseconds(600)
        self.compression = 1
    }

    /// How large a file may become under the limit.
    var effectiveFileSize: UInt64 {
        max(1 << 16, min(self.fileSize, self.limit.map { max($0, 1_000_000) / 4 } ?? .max))
    }
}
