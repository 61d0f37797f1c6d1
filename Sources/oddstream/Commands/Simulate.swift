import ArgumentParser
import Logging
import PolymarketSimulator
import RealtimeOdds

/// `oddstream simulate`: the exchange alone.
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A simulated exchange alone, on ports of your choice.",
        discussion: """
            Speaks the market channel, the CLOB REST API and the Gamma REST API, with the real shapes and book hashes. \
            Its order flow comes from a seed, or from a recording (--tape). It prints its endpoints, one option per line, \
            ready to be given to `oddstream watch`.

            It misbehaves on cue: --fault names a fault and its time, --faults a file with a plan. An entry of a plan is \
            {"at": "10s", "for": "5s", "fault": "freeze", "on": "line 0"}, or {"random": {"seed": 7, \
            "faults_per_minute": 6, "from": "10s", "to": "10m"}}; a file holds one entry a line, or an array of them. \
            Faults: \(FaultPlan.names.joined(separator: ", ")). `on` is all, newest, oldest, line N (the connections \
            open then, in order of arrival), up or down (the tokens of the window that runs), a token id, a series, a slug, \
            clob, gamma, or an object of line, asset, series, slug and api. Without `for` a fault lasts until recover.

            While it runs, POST an entry or an array of them to /_faults on the port of the CLOB REST API: without `at` it \
            begins at once. GET /_faults lists what is in force and what is planned, DELETE /_faults ends it all. \
            docs/simulator.md tells every fault with its own keys.
            """)

    /// The exchange's own options.
    struct Options: ParsableArguments, SettingOptions {
        @Option(name: .customLong(Setting.series.rawValue), help: "A series of markets to simulate; repeatable.")
        var series: [String] = []
        @Option(name: .customLong(Setting.host.rawValue), help: Setting.host.help)
        var host: String?
        @Option(name: .customLong(Setting.port.rawValue), help: Setting.port.help)
        var port: String?
        @Option(name: .customLong(Setting.gammaPort.rawValue), help: Setting.gammaPort.help)
        var gammaPort: String?
        @Option(name: .customLong(Setting.rtdsPort.rawValue), help: Setting.rtdsPort.help)
        var rtdsPort: String?
        @Option(name: .customLong(Setting.seed.rawValue), help: Setting.seed.help)
        var seed: String?
        @Option(name: .customLong(Setting.tape.rawValue), help: Setting.tape.help)
        var tape: String?
        @Option(name: .customLong(Setting.speed.rawValue), help: Setting.speed.help)
        var speed: String?
        @Option(name: .customLong(Setting.tlsCertificate.rawValue), help: Setting.tlsCertificate.help)
        var tlsCertificate: String?
        @Option(name: .customLong(Setting.tlsKey.rawValue), help: Setting.tlsKey.help)
        var tlsKey: String?
        @Option(name: .customLong(Setting.fault.rawValue), help: Setting.fault.help)
        var faults: [String] = []
        @Option(name: .customLong(Setting.faults.rawValue), help: Setting.faults.help)
        var plan: String?
        @Option(name: .customLong(Setting.duration.rawValue), help: Setting.duration.help)
        var duration: String?

        var given: [Setting: String] {
            Setting.given(
                (.series, self.series.isEmpty ? nil : self.series.joined(separator: ",")),
                (.host, self.host),
                (.port, self.port), (.gammaPort, self.gammaPort),
                (.rtdsPort, self.rtdsPort), (.seed, self.seed), (.tape, self.tape),
                (.speed, self.speed), (.tlsCertificate, self.tlsCertificate), (.tlsKey, self.tlsKey),
                (.fault, self.faults.isEmpty ? nil : self.faults.joined(separator: ",")),
                (.faults, self.plan), (.duration, self.duration))
        }
    }

    @OptionGroup(title: "Exchange") var options: Options
    @OptionGroup var general: GeneralOptions

    func run() async throws {
        let settings = try self.general.settings(self.options, self.general)
        let configuration = try settings.simulator(series: Run.defaultSeries)
        let plan = try settings.faultPlan()
        if self.general.printConfig {
            let isDefault = SimulatorConfiguration()
            print(
                settings.report([
                    (.series, Run.defaultSeries), (.host, isDefault.host), (.port, "\(isDefault.marketPort)"),
                    (.gammaPort, "\(isDefault.gammaPort)"), (.rtdsPort, "\(isDefault.rtdsPort)"),
                    (.seed, "\(isDefault.seed)"), (.tape, ""), (.speed, ""),
                    (.tlsCertificate, ""), (.tlsKey, ""), (.fault, ""), (.faults, ""), (.duration, ""),
                    (.logLevel, "info"),
                ]))
            return
        }
        let log = ProgramLog()
        let logger = log.logger(label: "oddstream.simulator", level: settings.logLevel(default: .info))
        let simulator = PolymarketSimulator(configuration: configuration, clock: SystemClock(), logger: logger)
        do {
            let endpoints = try await simulator.start()
            let sink = ByteSink(descriptor: 1, label: "endpoints")
            sink.append(
                """
                --market-ws \(endpoints.marketWebSocket)
                --clob-rest \(endpoints.clobREST)
                --gamma-rest \(endpoints.gammaREST)
                --rtds-ws \(endpoints.rtdsWebSocket)

                """)
            await sink.flush()
            simulator.follow(plan)
            let reloader = SettingsReloader(settings, log: log, level: .info, logger: logger)
            try await Daemon(services: [simulator], logger: logger, reloader: reloader)
                .run(for: settings.time(.duration))
        } catch {
            await log.flush()
            throw ProgramFailure(error)
        }
        await log.flush()
    }
}
