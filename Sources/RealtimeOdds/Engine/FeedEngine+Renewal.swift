import Logging
import OddsCore

/// A connection on its way to take another's place.
struct Renewal {
    let old: FeedConnection
    let successor: FeedConnection
    let deadline: MonotonicTime
    /// What the old connection has of each market of which it has every book, as far as is known.
    var required: [MarketID: Timestamp] = [:]
    /// What it had when the successor first had books of all of these.
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
        for market in self.decidedBare { renewal.successor.setPhase(.closed, of: market) }
        if self.hasCaughtUp(renewal) {
            self.renewing = nil
            renewal.successor.renewal = now.advanced(by: self.setup.configuration.renewalInterval)
            self.replace(renewal.old, with: renewal.successor)
            self.retired.append(renewal.old)
            renewal.successor.takeOver(from: renewal.old)
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
        let due = connections.filter { $0.renewal.map { $0 <= now } ?? false && $0.phase != .idle }
        guard !due.isEmpty else { return }
        guard connections.allSatisfy({ $0.phase == .live || $0.phase == .idle }), self.retired.isEmpty else {
            // Not while something is wrong.
            for old in due { old.renewal = now.advanced(by: Self.renewalPause) }
            return
        }
        // Where no seat is free, another connection of the same line frees one by its own renewal.
        for old in due {
            guard let seat = self.seat(forSuccessorOf: old) else { continue }
            let successor = FeedConnection(
                line: old.line, number: old.number, seat: seat, setup: self.setup, engine: self,
                seed: self.generator.next(), isSuccessor: true)
            self.add(successor, besides: old)
            self.renewing = Renewal(old: old, successor: successor, deadline: now.advanced(by: Self.renewalLimit))
            return
        }
    }

    /// A seat that no other connection with the same markets has. Connections of one line carry different markets, so
    /// they share seats, as few as they can: with four lines only one is to spare.
    private func seat(forSuccessorOf old: FeedConnection) -> Int? {
        let connections = self.lines.joined()
        let taken = Set(connections.filter { $0.line != old.line }.map(\.seat)).union([old.seat])
        let free = (0..<FeedArbiter.witnessSeat).filter { !taken.contains($0) }
        let siblings = Set(self.lines[old.line].map(\.seat))
        return free.first { siblings.contains($0) } ?? free.first
    }

    /// Whether the successor is as good as the old connection: it has every book that the old one has, believed as far,
    /// and what the old one had by then. When the old one is lost meanwhile, the books alone are enough.
    private func hasCaughtUp(_ renewal: Renewal) -> Bool {
        guard renewal.successor.phase == .live else { return false }
        var trusted: Set<MarketID> = []
        var required = renewal.required
        if renewal.old.phase == .live {
            required = [:]
            renewal.old.look { slot, phase, sight in
                // Nothing more is expected of a market that is decided, not even a book.
                guard phase != .closed, sight.complete != nil else { return }
                required[slot.market.id] = sight.newest
                if phase == .trading, sight.isTrusted { trusted.insert(slot.market.id) }
            }
            self.renewing?.required = required
        }
        var have: [MarketID: Timestamp] = [:]
        renewal.successor.look { slot, _, sight in
            if sight.isTrusted || !trusted.contains(slot.market.id) { have[slot.market.id] = sight.complete }
        }
        guard required.keys.allSatisfy({ have[$0] != nil }) else { return false }
        guard renewal.old.phase == .live else { return true }
        guard let goals = renewal.goals else {
            self.renewing?.goals = required
            return false
        }
        return goals.allSatisfy { goal in
            required[goal.key] == nil || have[goal.key].map { $0 >= goal.value } ?? false
        }
    }
}
