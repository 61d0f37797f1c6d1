/// A part of a recording that cannot be read.
public struct RecordingDamage: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's name.
    public var file: String
    /// Where the part begins in the file, in bytes.
    public var offset: UInt64
    /// How many bytes of the file it is; 0 for a file that is missing or cannot be opened.
    public var bytes: UInt64
    /// What is wrong with it.
    public var reason: String

    /// A damage from its parts.
    public init(file: String, offset: UInt64, bytes: UInt64, reason: String) {
        self.file = file
        self.offset = offset
        self.bytes = bytes
        self.reason = reason
    }

    /// The damage in a sentence.
    public var description: String {
        "\(self.file): \(self.bytes) bytes from byte \(self.offset) on cannot be read: \(self.reason)"
    }
}
