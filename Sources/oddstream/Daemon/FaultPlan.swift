import Logging
import OddsCore
import PolymarketSimulator
import ServiceLifecycle

/// A fault of the simulated exchange and when it comes: `drop@10s`, `freeze@20s:5s`.
struct PlannedFault: Equatable, Sendable {
    static let allowed =
        "drop@TIME, freeze@TIME:LENGTH, refuse@TIME:LENGTH, reset@TIME:LENGTH, malformed@TIME or oversize@TIME"

    /// Time after the start.
    let time: Duration
    /// What happens then.
    let fault: SimulatorFault

    /// A fault from its text; nil when the text is anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let times = parts[1].split(separator: ":", omittingEmptySubsequences: false)
            .map { DurationText.parse(String($0)) }
        guard let time = times.first ?? nil else { return nil }
        let length = times.count == 2 ? times[1] : nil
        guard times.count == 1 || length != nil, times.count <= 2 else { return nil }
        switch (parts[0], length) {
        case ("drop", nil): self.fault = .drop
        case ("freeze", let length?): self.fault = .freeze(for: length)
        case ("refuse", let length?): self.fault = .refuse(.status(503), for: length)
        case ("reset", let length?): self.fault = .refuse(.reset, for: length)
        case ("malformed", nil): self.fault = .malformedFrame
        // More than ours takes, which stops at 8 MiB, and less than the exchange keeps for a slow reader.
        case ("oversize", nil): self.fault = .oversizeFrame(bytes: 9 * 1024 * 1024)
        default: return nil
        }
        self.time = time
    }
}

/// Lets the exchange misbehave as planned, and stays until everything ends.
struct FaultPlan: Service {
    let faults: [PlannedFault]
    let simulator: PolymarketSimulator
    let clock: any StreamClock
    let logger: Logger

    func run() async throws {
        let start = self.clock.now().monotonic
        // Ending early is one of the two ways in which this ends; it is no error.
        try? await cancelWhenGracefulShutdown {
            for planned in self.faults.sorted(by: { $0.time < $1.time }) {
                try await self.clock.sleep(until: start.advanced(by: planned.time))
                self.logger.notice("Fault injected", metadata: ["exchange.fault": "\(planned.fault)"])
                self.simulator.inject(planned.fault)
            }
        }
        try? await gracefulShutdown()
    }
}
