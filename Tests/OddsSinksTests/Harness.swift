import Logging
import OddsCore
import OddsSinks
import OddsTestSupport
import ServiceLifecycle
import Testing

/// Keeps every log line, at every level, with all its metadata.
struct JournalLogHandler: LogHandler {
    let lines: Journal<String>
    var logLevel: Logger.Level = .trace
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = self.metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        self.lines.append("\(event.level) \(event.message) \(facts.map { "\($0.key)=\($0.value)" })")
    }
}

/// A sink at work: its stand-in, a clock that the test moves, its log, and the group it runs in.
struct Harness<Sink: AlertSink & Service>: Sendable {
    let sink: Sink
    let server: StandIn
    let clock: ManualClock
    let log: Journal<String>
    let group: ServiceGroup

    /// Posts alerts about the incident.
    func post(_ incident: String, _ title: String = "down", _ kind: Alert.Kind = .stale) {
        self.sink.post(sampleAlert(incident, title, kind))
    }

    /// How many attempts have ended, whatever their outcome.
    var attemptCount: Int { self.log.entries.count { $0.contains("Alert attempt ended") } }

    /// Moves the clock to the instant the sink waits for, once it waits.
    ///
    /// Between attempts that is the next attempt; during one it is the attempt's time limit.
    func wake() async throws {
        try await self.clock.sleepers(atLeast: 1)
        let next = try #require(self.clock.nextWake)
        self.clock.advance(to: next)
    }

    /// Returns when `count` attempts have ended.
    func attemptsEnded(_ count: Int) async throws {
        try await self.log.wait { $0.count { $0.contains("Alert attempt ended") } >= count }
    }

    /// Moves the clock from one attempt to the next until `count` have ended. Each must be answered.
    func attempts(_ count: Int) async throws {
        while self.attemptCount < count {
            let ended = self.attemptCount
            try await self.wake()
            try await self.attemptsEnded(ended + 1)
        }
    }

    /// Asks the service group to end.
    func shutdown() async { await self.group.triggerGracefulShutdown() }
}

/// An alert at a fixed time.
func sampleAlert(_ incident: String, _ title: String = "down", _ kind: Alert.Kind = .stale) -> Alert {
    Alert(
        severity: .warning, kind: kind, incident: .init(incident), title: title, text: "About \(incident).",
        time: Timestamp(seconds: 1_767_225_600))
}

/// The token of every test; it may be seen in the stand-in's requests and nowhere else.
let tokenText = "123456:test-token_ABC"

/// Runs a sink in a service group while `body` does, then ends it and checks that nothing is left.
func withSink<Sink: AlertSink & Service>(
    _ server: StandIn, make: (any StreamClock, Logger) throws -> Sink, body: (Harness<Sink>) async throws -> Void
) async throws {
    let log = Journal<String>()
    let clock = ManualClock()
    let logger = Logger(label: "test") { _ in JournalLogHandler(lines: log) }
    let sink = try make(clock, logger)
    let group = quietGroup(of: sink)
    let harness = Harness(sink: sink, server: server, clock: clock, log: log, group: group)
    try await run(group, on: clock) { try await body(harness) }
    try await server.connectionsClosed()
    for line in log.entries { #expect(!line.contains("test-token")) }
}

/// A group of one service that says nothing of its own.
func quietGroup(of service: any Service) -> ServiceGroup {
    var quiet = Logger(label: "group") { _ in SwiftLogNoOpLogHandler() }
    quiet.logLevel = .critical
    return ServiceGroup(configuration: .init(services: [.init(service: service)], logger: quiet))
}

/// Runs a group on a manual clock for as long as the body takes, then ends it gracefully. Nothing sleeps afterwards.
func run(_ group: ServiceGroup, on clock: ManualClock, _ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let outcome: Result<Void, any Error>
        do {
            try await body()
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await group.triggerGracefulShutdown()
        // What is still under way waits for its time limit or for the end of draining.
        let pump = Task {
            while true {
                try await clock.sleepers(atLeast: 1)
                if let next = clock.nextWake { clock.advance(to: next) }
            }
        }
        try await tasks.waitForAll()
        pump.cancel()
        _ = await pump.result
        try outcome.get()
    }
    #expect(clock.sleeperCount == 0)
}

/// Runs a Telegram sink against the stand-in.
func withTelegram(
    _ script: StandIn.Answer..., configure: (inout TelegramSinkConfiguration) -> Void = { _ in },
    body: (Harness<TelegramSink>) async throws -> Void
) async throws {
    try await StandIn.run { server in
        server.answer(with: script)
        try await withSink(server) { clock, logger in
            var configuration = TelegramSinkConfiguration(token: try Secret(tokenText), chat: "4711")
            configuration.api = server.base
            configuration.outbox.backoff.jitter = 0
            configure(&configuration)
            return try TelegramSink(configuration: configuration, clock: clock, logger: logger)
        } body: {
            try await body($0)
        }
    }
}
