public import Foundation

/// Real captures, read in place where they lie beside the package; none is part of it.
public enum Captures {
    /// One frame of a tape.
    public struct Frame: Sendable {
        /// The tape's time, in milliseconds.
        public let time: Int64
        /// The frame as it was received.
        public let bytes: [UInt8]
    }

    /// A tape that cannot be read.
    public struct Unreadable: Error, CustomStringConvertible {
        /// What is wrong, and with which file.
        public let description: String
    }

    /// `../shared/captures` as seen from the package's root.
    public static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/captures")

    /// Whether a tape is there.
    public static func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: self.folder.appending(path: name).path)
    }

    /// Hands over a gzip tape's frames, in order: one JSON object `{"t": <ms>, "m": "<frame>"}` a line.
    public static func frames(_ name: String, _ body: (Frame) throws -> Void) throws {
        let gzip = Process()
        gzip.executableURL = URL(filePath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", self.folder.appending(path: name).path]
        let (output, _) = try ChildProcess.start(gzip)
        let text = try output.readToEnd() ?? Data()
        gzip.waitUntilExit()
        guard gzip.terminationStatus == 0 else {
            throw Unreadable(description: "gzip cannot read \(name): status \(gzip.terminationStatus)")
        }
        for (number, line) in text.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
                let time = object["t"] as? NSNumber, let message = object["m"] as? String
            else { throw Unreadable(description: "line \(number + 1) of \(name) is no frame") }
            try body(Frame(time: time.int64Value, bytes: Array(message.utf8)))
        }
    }
}
