import Logging
import OddsCore

/// A connection on its way to take another's place.
struct Renewal {
    let old: FeedConnection
    let successor: FeedConnection
    let deadline: MonotonicTime
    /// What the old connection had of each market when the successor had its first books.
    var goals: [MarketID: Timestamp]?
}

/// Planned renewal, make before break: a connection is replaced while it is healthy, by one that has caught up with it.
///
/// Lines are renewed at different moments and never two connections at once. The old connection goes only when the new
/// one has every book and everything the old one had; until then both carry the markets and the arbiter chooses.
extension FeedEngine {
    /// How long a new connection may take to catch up.
    private static let renewalLimit = Duration.seconds(15)
    /// How long after one that did not, or while something is wrong, it is tried again.
    private static let renewalPause = Duration.seconds(60)

    /// When a new connection is first renewed: each line at another part of the interval.
    func firstRenewal(of connection: FeedConnection) -> MonotonicTime? {
        let interval = self.setup.configuration.renewalInterval
        guard interval > .zero else { return nil }
        let share = interval * (connection.line + 1) / self.lines.count
        return self.setup.clock.now().monotonic.advanced(by: max(share, interval / 4))
    }

    /// Begins, goes on with or ends a renewal; called a few times a second.
    func renew() {
        self.retired.removeAll { $0.isGone }
        let now = self.setup.clock.now().monotonic
        guard let renewal = self.renewing else { return self.beginRenewal(now: now) }
        if self.hasCaughtUp(renewal) {
            self.renewing = nil
            renewal.successor.renewal = now.advanced(by: self.setup.configuration.renewalInterval)
            self.replace(renewal.old, with: renewal.successor)
            self.retired.append(renewal.old)
            renewal.old.retire()
            self.tell(.connection(line: renewal.old.line, number: renewal.old.number, .renewed))
            self.setup.logger.info(
                "Feed connection renewed", metadata: [LogKey.line: "\(renewal.old.line)"])
        } else if renewal.deadline <= now || renewal.old.phase != .live {
            self.renewing = nil
            renewal.old.renewal = now.advanced(by: Self.renewalPause)
            self.remove(renewal.successor)
            self.retired.append(renewal.successor)
            renewal.successor.retire()
            self.setup.logger.info(
                "Feed connection kept: its successor did not catch up",
                metadata: [LogKey.line: "\(renewal.old.line)"])
        }
    }

    private func beginRenewal(now: MonotonicTime) {
        let connections = self.lines.joined()
        guard let old = connections.first(where: { $0.renewal.map { $0 <= now } ?? false && $0.phase != .idle }) else {
            return
        }
        guard connections.allSatisfy({ $0.phase == .live || $0.phase == .idle }), self.retired.isEmpty else {
            // Not while something is wrong.
            old.renewal = now.advanced(by: Self.renewalPause)
            return
        }
        let taken = Set(connections.map(\.seat))
        guard let seat = (0..<FeedArbiter.witnessSeat).first(where: { !taken.contains($0) }) else { return }
        let successor = FeedConnection(
            line: old.line, number: old.number, seat: seat, setup: self.setup, engine: self,
            seed: self.generator.next(), replacing: old)
        self.add(successor, besides: old)
        self.renewing = Renewal(old: old, successor: successor, deadline: now.advanced(by: Self.renewalLimit))
    }

    private func hasCaughtUp(_ renewal: Renewal) -> Bool {
        var have: [MarketID: Timestamp] = [:]
        var isWhole = renewal.successor.phase == .live
        renewal.successor.look { slot, phase, sight in
            have[slot.market.id] = sight.complete
            if sight.complete == nil || (phase == .trading && !sight.isTrusted) { isWhole = false }
        }
        guard isWhole, !have.isEmpty else { return false }
        guard let goals = renewal.goals else {
            var goals: [MarketID: Timestamp] = [:]
            renewal.old.look { slot, _, sight in goals[slot.market.id] = sight.newest }
            self.renewing?.goals = goals
            return false
        }
        return goals.allSatisfy { goal in have[goal.key].map { $0 >= goal.value } ?? true }
    }
}
