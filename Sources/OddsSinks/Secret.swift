#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A text that must not be seen, such as a token: it prints as `***` wherever it is printed, dumped or interpolated.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// A secret from its text, without the white space around it.
    ///
    /// - Throws: `AlertSinkError` with code `emptySecret` when nothing is left.
    public init(_ text: String) throws(AlertSinkError) {
        var trimmed = text.drop(while: \.isWhitespace)
        while trimmed.last?.isWhitespace == true { trimmed.removeLast() }
        self.text = String(trimmed)
        guard !self.text.isEmpty else {
            throw AlertSinkError(.emptySecret, "A secret is empty: give it its text, or leave it out.")
        }
    }

    /// A secret from the first line of a file.
    ///
    /// - Throws: `AlertSinkError` with code `secretFile` when the file cannot be read or holds nothing.
    public init(file path: String) throws(AlertSinkError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            // The system's error is left out: it adds nothing to the path, which the reader has to look at anyway.
            throw AlertSinkError(
                .secretFile, "The secret file \(path) cannot be read. Check the path and its permissions.")
        }
        let line = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        do {
            try self.init(String(line))
        } catch {
            throw AlertSinkError(.secretFile, "The secret file \(path) holds nothing on its first line.")
        }
    }

    /// Lends the text. Whoever borrows it must not log it, nor put it into an error.
    public func withText<Result>(_ body: (String) throws -> Result) rethrows -> Result { try body(self.text) }

    /// A text of foreign origin, without the secret in it.
    public func redacted(_ text: String) -> String { text.replacing(self.text, with: "***") }

    /// Always `***`.
    public var description: String { "***" }
    /// Always `***`.
    public var debugDescription: String { "***" }
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: [:] as KeyValuePairs<String, Any>) }
}
