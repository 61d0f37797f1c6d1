import Logging
import NIOPosix
import OddsCore
import Subprocess
import Synchronization
import SystemPackage

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Runs a command of the user's choice for each signal.
struct SignalCommandCourier: SignalCourier {
    /// How a run ended.
    struct Ending: Sendable {
        let status: TerminationStatus
        let isLate: Bool
        let output: String
        let errors: String
    }

    private let program: String
    private let arguments: [String]
    private let timeout: Duration
    private let grace: Duration
    private let outputLimit: Int
    private let concurrency: Int
    private let environment: [String: String]
    private let clock: any StreamClock
    private let logger: Logger

    /// - Throws: `AlertSinkError` when there is no such program or it may not be run.
    init(
        _ configuration: SignalCommandConfiguration, name: String, clock: any StreamClock, logger: Logger,
        inherited: [String: String] = ProcessInfo.processInfo.environment
    ) throws(AlertSinkError) {
        guard let first = configuration.arguments.first, !first.isEmpty else {
            throw AlertSinkError(
                .invalidConfiguration, "The command for signals names no program: give its path and its arguments.")
        }
        var logger = logger
        logger[metadataKey: LogKey.signalSink] = "\(name)"
        let path = inherited["PATH"] ?? ProgramSearch.standardPath
        self.program = try ProgramSearch.locate(first, path: path)
        self.arguments = Array(configuration.arguments.dropFirst())
        self.timeout = configuration.timeout
        self.grace = configuration.grace
        self.outputLimit = max(0, configuration.outputLimit)
        self.concurrency = configuration.outbox.concurrency
        self.environment = ["PATH": path].merging(inherited.filter { $0.key == "HOME" }) { path, _ in path }
        self.clock = clock
        self.logger = logger
    }

    /// Lends threads, one for each command that may run, to wait for their ends.
    func withLine(_ body: (NIOThreadPool) async -> Void) async {
        BrokenPipe.ignore()
        let threads = NIOThreadPool(numberOfThreads: self.concurrency)
        threads.start()
        await body(threads)
        // It throws when the pool was shut down before, which nobody else does.
        try? await threads.shutdownGracefully()
    }

    func deliver(_ attempt: SignalAttempt, over threads: NIOThreadPool) async -> SignalAnswer {
        let input: [UInt8]
        do {
            input = try attempt.signal.json()
        } catch {
            return SignalAnswer(.refused(reason: "the signal cannot be written as JSON"))
        }
        do {
            let ending = try await self.run(attempt.signal, input, threads)
            let answer = self.meaning(of: ending)
            self.log(ending, of: attempt)
            return answer
        } catch let error as SubprocessError where error.code == .spawnFailed || error.code == .executableNotFound {
            // Nothing was run, and a program that is being replaced comes back.
            return SignalAnswer(.again(after: nil, reason: "the command cannot be started: \(error)"))
        } catch {
            return SignalAnswer(.refused(reason: "the command was lost sight of: \(error)"))
        }
    }

    private func meaning(of ending: Ending) -> SignalAnswer {
        let firstLine = ending.errors.split(whereSeparator: \.isNewline).first.map { ": \($0.prefix(200))" } ?? ""
        switch ending.status {
        case .exited(let code) where ending.isLate:
            return SignalAnswer(.refused(reason: self.late + firstLine), exitCode: Int(code))
        case .signaled(let signal) where ending.isLate:
            return SignalAnswer(.refused(reason: self.late + firstLine), exitCode: 128 + Int(signal))
        case .exited(0): return SignalAnswer(.taken, exitCode: 0)
        case .exited(75):
            return SignalAnswer(
                .again(after: nil, reason: "the command asked to try again (exit code 75)" + firstLine), exitCode: 75)
        case .exited(let code):
            return SignalAnswer(
                .refused(reason: "the command ended with exit code \(code)" + firstLine), exitCode: Int(code))
        case .signaled(let signal):
            return SignalAnswer(
                .refused(reason: "the command was ended by signal \(signal)" + firstLine), exitCode: 128 + Int(signal))
        }
    }

    private var late: String { "the command had not ended after \(self.timeout.secondsValue) s and was stopped" }

    private func log(_ ending: Ending, of attempt: SignalAttempt) {
        self.logger.log(
            level: ending.status.isSuccess && !ending.isLate ? .debug : .info, "Signal command ended",
            metadata: [
                LogKey.signal: "\(attempt.signal.id)", LogKey.reason: "\(ending.status)",
                LogKey.output: "\(ending.output)", LogKey.errors: "\(ending.errors)",
            ])
    }

    // MARK: Running

    private typealias Run = Execution<CustomWriteInput, SequenceOutput, SequenceOutput>

    private enum Part: Sendable {
        case fed
        case output(String)
        case errors(String)
        case ended
        case timer
    }

    /// Runs the command in a process group of its own and returns when it has ended, and nothing of its group is left.
    private func run(_ signal: OddsCore.Signal, _ input: [UInt8], _ threads: NIOThreadPool) async throws -> Ending {
        var options = PlatformOptions()
        options.processGroupID = 0
        // Only when this task is cancelled, at the end of the program; time limits are below.
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: self.grace)]
        var environment = self.environment
        environment["ODDSTREAM_SIGNAL_ID"] = signal.id
        environment["ODDSTREAM_SIGNAL_KIND"] = signal.kind.rawValue
        // As bytes, each ended by a zero: so they are copied and not looked at.
        let variables = environment.map { Array("\($0.key)=\($0.value)\0".utf8) }
        let result = try await Subprocess.run(
            .path(FilePath(self.program)), arguments: Arguments(self.arguments), environment: .custom(variables),
            platformOptions: options, input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
            await self.attend(execution, input, threads)
        }
        return Ending(
            status: result.terminationStatus, isLate: result.closureResult.isLate, output: result.closureResult.output,
            errors: result.closureResult.errors)
    }

    private func attend(
        _ execution: Run, _ input: [UInt8], _ threads: NIOThreadPool
    ) async -> (output: String, errors: String, isLate: Bool) {
        let state = RunState()
        return await withTaskGroup(of: Part.self) { group in
            group.addTask {
                await self.feed(input, to: execution.standardInputWriter)
                return .fed
            }
            group.addTask { .output(await self.read(execution.standardOutput, state)) }
            group.addTask { .errors(await self.read(execution.standardError, state)) }
            group.addTask {
                await ChildExit.wait(for: execution.processIdentifier.value, on: threads)
                return .ended
            }
            group.addTask {
                await self.limit(execution, state)
                return .timer
            }
            var output = ""
            var errors = ""
            for await part in group {
                switch part {
                case .output(let text): output = text
                case .errors(let text): errors = text
                case .ended:
                    state.hasEnded.store(true, ordering: .relaxed)
                    // The command is not reaped before this returns, so the group's number is still its own. It fails when
                    // nobody is left, which is what it is for.
                    try? execution.send(signal: .kill, toProcessGroup: true)
                    // The readers take what is in the pipes and end; the timer ends.
                    group.cancelAll()
                case .fed, .timer: break
                }
            }
            return (output, errors, state.isLate.load(ordering: .relaxed))
        }
    }

    /// Ends the group when its time is up.
    private func limit(_ execution: Run, _ state: RunState) async {
        guard (try? await self.clock.sleep(for: self.timeout)) != nil else { return }
        state.isLate.store(true, ordering: .relaxed)
        // Both fail only when the group is gone.
        try? execution.send(signal: .terminate, toProcessGroup: true)
        guard (try? await self.clock.sleep(for: self.grace)) != nil else { return }
        try? execution.send(signal: .kill, toProcessGroup: true)
    }

    /// Writes the signal and closes the input.
    private func feed(_ input: [UInt8], to writer: StandardInputWriter) async {
        do {
            _ = try await writer.write(input)
            try await writer.finish()
        } catch {
            // Whether it took the signal is for its exit code to say.
            self.logger.debug("Signal command did not read its input", metadata: [LogKey.reason: "\(error)"])
        }
    }

    /// What the command writes, up to the limit. All of it is read, so that it never waits for us.
    private func read(_ sequence: SubprocessOutputSequence, _ state: RunState) async -> String {
        var kept: [UInt8] = []
        do {
            for try await buffer in sequence {
                let room = self.outputLimit - kept.count
                buffer.withUnsafeBytes { kept.append(contentsOf: $0.prefix(max(0, room))) }
                // Somebody who left the group may hold the pipe and write on.
                if room <= 0, state.hasEnded.load(ordering: .relaxed) { break }
            }
        } catch {
            self.logger.debug("Signal command's output was lost", metadata: [LogKey.reason: "\(error)"])
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
