import Foundation
import OddsTestSupport
import Synchronization

/// The built program, run as a stranger would run it. A program that still runs when its test lets go of it is killed.
final class ProgramRun: Sendable {
    struct Outcome: Sendable {
        let status: Int32?
        let output: String
        let errors: String
    }

    /// One of the program's two voices: as lines while it runs, and as a whole when it has ended.
    final class Voice: Sendable {
        /// The lines as they come; ends when the program closes it. For one reader.
        let lines: AsyncStream<String>
        private let heard = Mutex((all: Data(), rest: Data()))
        private let end = Journal<Bool>()

        init(_ handle: FileHandle) {
            let (lines, continuation) = AsyncStream<String>.makeStream()
            self.lines = lines
            ChildProcess.detachReader(of: handle) { data in
                let isEnd = data == nil
                for line in self.split(data) { continuation.yield(String(decoding: line, as: UTF8.self)) }
                guard isEnd else { return }
                continuation.finish()
                self.end.append(true)
            }
        }

        /// The lines that are complete with these bytes; with none, what is left.
        private func split(_ data: Data?) -> [Data] {
            self.heard.withLock { heard in
                guard let data else { return heard.rest.isEmpty ? [] : [heard.rest] }
                heard.all += data
                var lines = (heard.rest + data).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                heard.rest = lines.popLast() ?? Data()
                return lines
            }
        }

        /// Everything said, once the program has ended.
        func text() async throws -> String {
            try await self.end.wait(forCount: 1)
            return String(decoding: self.heard.withLock { $0.all }, as: UTF8.self)
        }
    }

    private let process = Process()
    private let ended = Journal<Int32>()
    private let output: Voice?
    private let errors: Voice

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
    ///
    /// - Parameter listens: false closes the reading end of its output at once, as `head` does when it has seen enough.
    init(_ arguments: [String], environment: [String: String] = [:], listens: Bool = true) throws {
        self.process.executableURL = URL(filePath: ProgramRun.path)
        self.process.arguments = arguments
        self.process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { _, new in new }
        self.process.standardInput = FileHandle.nullDevice
        let ended = self.ended
        self.process.terminationHandler = { process in
            let status = process.terminationStatus
            ended.append(process.terminationReason == .exit ? status : 128 + status)
        }
        let (output, errors) = try ChildProcess.start(self.process)
        self.output = listens ? Voice(output) : nil
        self.errors = Voice(errors)
        if !listens { try output.close() }
    }

    deinit {
        if self.ended.entries.isEmpty { kill(self.process.processIdentifier, SIGKILL) }
    }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(self.process.processIdentifier, signal) }

    /// The lines of standard output as they come; ends when the program closes it.
    var lines: AsyncStream<String> { self.output?.lines ?? AsyncStream { $0.finish() } }

    /// The lines of standard error as they come; ends when the program closes it.
    var errorLines: AsyncStream<String> { self.errors.lines }

    /// Everything on standard output, once the program has ended.
    func outputText() async throws -> String { try await self.output?.text() ?? "" }

    /// Everything on standard error, once the program has ended.
    func errorText() async throws -> String { try await self.errors.text() }

    /// Waits for the end and returns the status (128 + the signal when one ended it); nil when the test is over before.
    func wait() async -> Int32? {
        try? await self.ended.wait(forCount: 1)
        return self.ended.entries.first
    }

    /// Runs to the end and returns everything it said.
    static func outcome(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
        let run = try ProgramRun(arguments, environment: environment)
        return Outcome(
            status: await run.wait(), output: try await run.outputText(), errors: try await run.errorText())
    }
}
