import Logging
import OddsCore
import OddsServer
import PolymarketSimulator
import RealtimeOdds
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Runs the services of a command together and ends them together.
///
/// The first SIGTERM, SIGINT or SIGHUP asks every service to end, the last one first; after 1.2 s they are cancelled.
/// A second signal, or 1.9 s, ends the process whatever it is doing.
struct Daemon {
    /// Consumers after producers: shutdown runs backwards, so that readers end first.
    let services: [any Service]
    let logger: Logger

    /// Returns when a signal came, when a service ended, or when `limit` has passed.
    ///
    /// - Throws: `ProgramFailure` with the status the process should end with.
    @concurrent
    func run(for limit: Duration? = nil) async throws {
        var services = self.services.map {
            ServiceGroupConfiguration.ServiceConfiguration(
                service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
        }
        if let limit {
            services.append(
                .init(service: Deadline(limit: limit), successTerminationBehavior: .gracefullyShutdownGroup))
        }
        var configuration = ServiceGroupConfiguration(services: services, logger: self.quietLogger)
        configuration.maximumGracefulShutdownDuration = .milliseconds(1200)
        let group = ServiceGroup(configuration: configuration)
        do {
            try await self.run(group)
        } catch {
            throw ProgramFailure(error)
        }
    }

    private func run(_ services: ServiceGroup) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.obey(signals, services: services) }
            defer { group.cancelAll() }
            try await services.run()
        }
    }

    private func obey(_ signals: UnixSignalsSequence, services: ServiceGroup) async {
        await withDiscardingTaskGroup { group in
            var isEnding = false
            for await signal in signals {
                if isEnding { Daemon.endNow(128 + signal.number) }
                isEnding = true
                self.logger.info("Ending", metadata: ["signal": "\(signal)"])
                await services.triggerGracefulShutdown()
                group.addTask {
                    guard (try? await Task.sleep(for: .milliseconds(1900))) != nil else { return }
                    self.logger.error("A part of the program did not end in time")
                    Daemon.endNow(ExitStatus.internalError.rawValue)
                }
            }
            group.cancelAll()
        }
    }

    private static func endNow(_ status: Int32) -> Never {
        Terminal.restore()
        _exit(status)
    }

    /// The lifecycle's own messages are for debugging it.
    private var quietLogger: Logger {
        var logger = self.logger
        if logger.logLevel > .trace { logger.logLevel = max(logger.logLevel, .error) }
        return logger
    }
}

/// Ends the group when its time is up.
private struct Deadline: Service {
    let limit: Duration

    func run() async throws {
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: self.limit) }
    }
}

extension UnixSignal {
    fileprivate var number: Int32 { self == .sigint ? SIGINT : self == .sighup ? SIGHUP : SIGTERM }
}

extension ProgramFailure {
    /// What an error out of a service means for the one who started the program.
    init(_ error: any Error) {
        switch error {
        case let failure as ProgramFailure: self = failure
        case let error as ConfigurationError: self.init(status: error.status, message: error.description)
        case let error as OddsServerError: self.init(status: .configuration, message: error.message)
        case let error as RealtimeOddsError: self.init(status: .configuration, message: error.message)
        case let error as SimulatorError: self.init(status: .configuration, message: error.description)
        default: self.init(status: .internalError, message: "Something failed that should not: \(error)")
        }
    }
}
