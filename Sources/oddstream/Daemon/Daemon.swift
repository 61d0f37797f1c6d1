import Logging
import OddsCore
import OddsServer
import PolymarketSimulator
import RealtimeOdds
import ServiceLifecycle

/// Runs the services of a command together and ends them together.
///
/// The first SIGTERM or SIGINT asks every service to end, the last one first; after 1.2 s they are cancelled. A second
/// signal, or 1.9 s, ends the process whatever it is doing. SIGHUP reads the configuration again. SIGUSR1 and
/// SIGUSR2 turn the kill switch on and off.
struct Daemon {
    /// Consumers after producers: shutdown runs backwards, so that readers end first.
    let services: [any Service]
    let logger: Logger
    /// Reads the configuration again; nil for a command without anything to reload.
    let reloader: SettingsReloader?
    /// Turns the trading loop's kill switch; nil for a command without one.
    let killSwitch: (@Sendable (Bool) async -> Void)?

    /// How long the process may live after the first signal.
    private static let grace = Duration.milliseconds(1900)

    init(
        services: [any Service], logger: Logger, reloader: SettingsReloader? = nil,
        killSwitch: (@Sendable (Bool) async -> Void)? = nil
    ) {
        self.services = services + (reloader.map { [$0] } ?? [])
        self.logger = logger
        self.reloader = reloader
        self.killSwitch = killSwitch
    }

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
        let logger = self.logger
        let signals = ProgramSignals.hear(grace: Daemon.grace) {
            logger.error("A part of the program did not end in time")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.obey(signals, services: services) }
            defer { group.cancelAll() }
            try await services.run()
        }
    }

    private func obey(_ signals: AsyncStream<ProgramSignals.Event>, services: ServiceGroup) async {
        for await signal in signals {
            switch signal {
            case .end(let name):
                self.logger.info("Ending", metadata: ["signal": "\(name)"])
                await services.triggerGracefulShutdown()
            case .reload:
                if let reloader = self.reloader {
                    reloader.reload()
                } else {
                    self.logger.warning("SIGHUP: this command has no settings that could be reloaded")
                }
            case .killSwitch(let isOn):
                if let killSwitch = self.killSwitch {
                    await killSwitch(isOn)
                } else {
                    self.logger.warning("SIGUSR1 and SIGUSR2 turn the kill switch of a trading loop: there is none")
                }
            }
        }
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
