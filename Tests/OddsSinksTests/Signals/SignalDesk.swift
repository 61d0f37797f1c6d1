import Foundation
import Logging
import OddsCore
import OddsSinks
import OddsTestSupport
import ServiceLifecycle
import Testing

/// A dispatcher at work: a clock that the test moves, what it told of its signals, its log, and the group it runs in.
struct SignalDesk: Sendable {
    let dispatcher: SignalDispatcher
    let clock: ManualClock
    let deliveries: Journal<SignalDelivery>
    let log: Journal<String>
    let group: ServiceGroup

    /// Sends `spike.began` signals of a market.
    func send(_ ids: String..., market: String = "a") {
        for id in ids { self.dispatcher.send(.sample(id, market)) }
    }

    /// Returns the deliveries when there are so many.
    func deliveries(_ count: Int) async throws -> [SignalDelivery] {
        try await self.deliveries.wait(forCount: count)
        return self.deliveries.entries
    }

    /// Returns when so many attempts have ended, whatever their outcome.
    func attemptsEnded(_ count: Int) async throws {
        try await self.log.wait { $0.count { $0.contains("Signal attempt ended") } >= count }
    }

    /// Asks the service group to end.
    func shutdown() async { await self.group.triggerGracefulShutdown() }
}

/// Runs a dispatcher in a service group while `body` does, then ends it and checks that nothing is left.
func withDispatcher(
    _ configuration: SignalDispatcherConfiguration, clock: ManualClock = ManualClock(),
    body: (SignalDesk) async throws -> Void
) async throws {
    let log = Journal<String>()
    let deliveries = Journal<SignalDelivery>()
    let dispatcher = try SignalDispatcher(
        configuration: configuration, clock: clock, logger: Logger(label: "test") { _ in JournalLogHandler(lines: log) }
    ) { deliveries.append($0) }
    let group = quietGroup(of: dispatcher)
    let desk = SignalDesk(
        dispatcher: dispatcher, clock: clock, deliveries: deliveries, log: log, group: group)
    try await run(group, on: clock) { try await body(desk) }
    for status in dispatcher.status {
        #expect(status.status.waiting == 0 && status.status.underWay == 0, "\(status)")
    }
}

/// A directory of its own, gone afterwards.
func withTemporaryDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appending(path: "oddstream-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await body(directory))
    } catch {
        result = .failure(error)
    }
    try FileManager.default.removeItem(at: directory)
    return try result.get()
}
