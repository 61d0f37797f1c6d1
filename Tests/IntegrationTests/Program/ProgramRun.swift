import Foundation
import Synchronization

/// The built program, run as a stranger would run it.
final class ProgramRun: Sendable {
    struct Outcome: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    private let process: Process
    private let output = Pipe()
    private let errors = Pipe()

    /// The program beside the test bundle: both are built into the same directory.
    static var path: String {
        #if os(macOS)
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
        return (bundle ?? Bundle.main.bundleURL).deletingLastPathComponent().appendingPathComponent("oddstream").path
        #else
        let tests =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(filePath: tests).deletingLastPathComponent().appendingPathComponent("oddstream").path
        #endif
    }

    /// Starts the program with its arguments and nothing in its environment but what is given and a path.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        self.process = Process()
        self.process.executableURL = URL(filePath: ProgramRun.path)
        self.process.arguments = arguments
        self.process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { _, new in new }
        self.process.standardInput = FileHandle.nullDevice
        self.process.standardOutput = self.output
        self.process.standardError = self.errors
        try self.process.run()
    }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(self.process.processIdentifier, signal) }

    /// The lines of standard output as they come; ends when the program closes it.
    var lines: AsyncStream<String> { ProgramRun.lines(of: self.output.fileHandleForReading) }

    /// The lines of standard error as they come; ends when the program closes it.
    var errorLines: AsyncStream<String> { ProgramRun.lines(of: self.errors.fileHandleForReading) }

    /// Everything on standard error, once the program has ended.
    func errorText() -> String {
        String(decoding: self.errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    private static func lines(of handle: FileHandle) -> AsyncStream<String> {
        AsyncStream { continuation in
            // Reading blocks, so it has a thread of its own.
            Thread.detachNewThread {
                var rest = Data()
                while true {
                    let data = handle.availableData
                    if data.isEmpty { break }
                    rest += data
                    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                        continuation.yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                        rest = Data(rest[rest.index(after: end)...])
                    }
                }
                continuation.finish()
            }
        }
    }

    /// The reader's end of standard output, to be closed by tests that stop listening.
    var reader: FileHandle { self.output.fileHandleForReading }

    /// Waits for the end and returns the status (128 + the signal when one ended it).
    func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                self.process.waitUntilExit()
                let status = self.process.terminationStatus
                continuation.resume(returning: self.process.terminationReason == .exit ? status : 128 + status)
            }
        }
    }

    /// Runs to the end and returns everything it said. For programs that say little: less than a pipe holds.
    static func outcome(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
        let run = try ProgramRun(arguments, environment: environment)
        let status = await run.wait()
        let output = try run.output.fileHandleForReading.readToEnd() ?? Data()
        let errors = try run.errors.fileHandleForReading.readToEnd() ?? Data()
        return Outcome(
            status: status, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }
}
