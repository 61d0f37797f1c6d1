import OddsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Carries one signal to one kind of receiver, and says what its answers mean.
protocol SignalCourier: Sendable {
    /// What deliveries need for as long as a sink runs.
    associatedtype Line: Sendable

    /// Lends a line to `body` and gives everything of it back before returning.
    func withLine(_ body: (Line) async -> Void) async

    /// Makes one attempt, keeps it within its time limit and says what came of it. Ends promptly when the task is
    /// cancelled.
    func deliver(_ attempt: SignalAttempt, over line: Line) async -> SignalAnswer
}

extension Signal {
    /// The body as receivers get it: the same bytes in every attempt and at every sink.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }
}
