package import OddsCore

/// A second witness of the books beside the feed. Asked and answering on the feed's event loop.
package protocol BookWitness: AnyObject, Sendable {
    /// Asks for the books of some tokens; the answer has one result for each, in their order.
    func ask(_ assets: [AssetID], _ answer: @escaping ([Result<RESTBook, RESTError>]) -> Void)
}

/// Leads every market's ladder from silence to proof: samples the lines, asks the witness, and does what the ladder says.
///
/// It decides nothing itself: `MarketLiveness` does, and `GhostGuard` says which answers of the witness can be believed.
final class LivenessWatch {
    private final class Watched {
        let slot: MarketSlot
        let seat: WitnessSeat
        var ladder: MarketLiveness
        var ghosts: GhostGuard
        var carriers: [FeedConnection] = []
        /// The witness's last answer that can be believed, with the books it was made of.
        var odds: RESTOdds?
        var book: RESTBook?
        /// What has become of it, when the witness carried it to its end.
        var conclusion: MarketPhase?
        /// Whether trouble was told that is not over.
        var hasToldTrouble = false

        init(_ slot: MarketSlot, arbiter: FeedArbiter, limits: MarketLiveness.Limits, now: MonotonicTime) {
            self.slot = slot
            self.seat = WitnessSeat(slot: slot, arbiter: arbiter)
            self.ladder = MarketLiveness(limits: limits, now: now)
            self.ghosts = GhostGuard(market: slot.market)
        }

        func carrier(_ seat: Int) -> FeedConnection? { self.carriers.first { $0.seat == seat } }
    }

    // The engine owns the watch and ends it before it goes.
    private unowned let engine: FeedEngine
    private var watched: [MarketID: Watched] = [:]
    private var isWitnessDown = false

    init(engine: FeedEngine) { self.engine = engine }

    private var setup: FeedEngine.Setup { self.engine.setup }

    // MARK: Looking

    /// Looks at every line and every market.
    func look() {
        var sights: [MarketID: (slot: MarketSlot, seen: [MarketLiveness.Sight], carriers: [FeedConnection])] = [:]
        // In the order in which they are seen: what follows from one look must not follow from how ids are hashed.
        var order: [MarketID] = []
        var ended: [MarketID: MarketPhase] = [:]
        for connection in self.engine.allConnections {
            connection.look { slot, phase, sight in
                guard phase == .trading else {
                    ended[slot.market.id] = phase
                    return
                }
                if sights[slot.market.id] == nil { order.append(slot.market.id) }
                sights[slot.market.id, default: (slot, [], [])].seen.append(sight)
                sights[slot.market.id]?.carriers.append(connection)
            }
        }
        let unseen = self.watched.filter { sights[$0.key] == nil }.sorted { $0.key.rawValue < $1.key.rawValue }
        for (id, watched) in unseen {
            guard let phase = ended[id], watched.ladder.isCarried || watched.conclusion != nil else {
                self.forget(id)
                continue
            }
            self.conclude(watched, phase)
        }
        for id in order {
            guard let market = sights[id] else { continue }
            let now = self.setup.clock.now().monotonic
            let watched = self.watched(id, market.slot, now: now)
            watched.carriers = market.carriers
            self.perform(watched.ladder.sample(market.seen, now: now), for: watched)
        }
    }

    private func watched(_ id: MarketID, _ slot: MarketSlot, now: MonotonicTime) -> Watched {
        if let known = self.watched[id] {
            if known.slot === slot, known.conclusion == nil { return known }
            // Its second token became known, and with it another slot; or the clock was set back into its window.
            self.forget(id)
        }
        let new = Watched(
            slot, arbiter: self.engine.arbiter, limits: self.setup.configuration.livenessLimits, now: now)
        self.watched[id] = new
        return new
    }

    /// A market is over that no line has delivered: what the witness gave of it stays, and says so.
    private func conclude(_ watched: Watched, _ phase: MarketPhase) {
        guard watched.conclusion != phase else { return }
        if watched.conclusion == nil {
            self.perform(watched.ladder.end().filter { $0 != .stopServing }, for: watched)
        }
        watched.conclusion = phase
        self.tell(
            watched, watched.seat.conclude(phase == .closed ? .closed : .resolving, at: self.setup.clock.now()))
    }

    /// Expects nothing of a market any more.
    func forget(_ id: MarketID) {
        guard let watched = self.watched.removeValue(forKey: id) else { return }
        self.perform(watched.ladder.end(), for: watched)
    }

    /// The end: answers that still come are heard by nobody.
    func stop() { self.watched = [:] }

    // MARK: Doing

    private func perform(_ actions: [MarketLiveness.Action], for watched: Watched) {
        let market = watched.slot.market.id
        for action in actions {
            switch action {
            case .ask: self.ask(watched)
            case .redrive(let seat): watched.carrier(seat)?.suspectBehind(market)
            case .reconnect(let seat): watched.carrier(seat)?.giveUp(market)
            case .distrust(let seat, let stamp): watched.carrier(seat)?.distrust(market, until: stamp)
            case .confirm(let seat):
                watched.carrier(seat)?.confirm(market)
                watched.seat.confirm(seat: seat, at: self.setup.clock.now())
            case .serve: self.serve(watched)
            case .serveAsStale:
                let reason: StaleReason =
                    watched.carriers.contains { $0.phase == .live } ? .awaitingSnapshot : .disconnected
                self.tell(watched, watched.seat.serveAsStale(reason: reason, at: self.setup.clock.now()))
            case .stopServing: watched.seat.withdraw()
            case .doubt: for carrier in watched.carriers { carrier.setSilent(true, market) }
            case .believe: for carrier in watched.carriers { carrier.setSilent(false, market) }
            case .refresh(let seat): watched.carrier(seat)?.refresh(market)
            case .tell(let silence): self.tell(silence, watched)
            }
        }
    }

    /// Tells what came of a silence. The ladder knows seats, the world knows lines; and a connection that has not taken
    /// another's place yet is no line: its silence is no trouble.
    private func tell(_ silence: ContinuityEvent.Silence, _ watched: Watched) {
        var told = silence
        switch silence {
        case .frozen(let since, let seats):
            let lines = watched.carriers.filter { seats.contains($0.seat) && !$0.isSilent }.map(\.line)
            guard !lines.isEmpty else { return }
            told = .frozen(since: since, lines: lines)
            watched.hasToldTrouble = true
        case .unverified: watched.hasToldTrouble = true
        case .over:
            guard watched.hasToldTrouble else { return }
            watched.hasToldTrouble = false
        // While something is wrong with one line, another that is right does not end it.
        case .verifiedQuiet: guard !watched.hasToldTrouble else { return }
        }
        self.engine.tell(.silence(watched.slot.market, told))
    }

    private func serve(_ watched: Watched) {
        guard let odds = watched.odds else { return }
        let outcome = watched.seat.serve(
            yes: odds.yes, no: odds.no, exchangeTime: odds.exchangeTime, at: self.setup.clock.now())
        self.tell(watched, outcome)
    }

    private func tell(_ watched: Watched, _ outcome: WitnessSeat.Outcome?) {
        guard let outcome else { return }
        self.engine.changedExactly(watched.slot, values: outcome.values, previousTrust: outcome.previousTrust)
        self.engine.changed(watched.slot, values: outcome.values, previousTrust: outcome.previousTrust)
    }

    /// A token's book as the witness gave it, while the board shows that.
    func depth(of asset: AssetID) -> TokenDepth? {
        for watched in self.watched.values where watched.slot.market.side(of: asset) != nil {
            guard self.engine.arbiter.isWitnessLeading(watched.slot), let book = watched.book,
                let shown = watched.slot.read()
            else { return nil }
            return TokenDepth(of: asset, in: book, shown: shown)
        }
        return nil
    }

    // MARK: The witness

    private func ask(_ watched: Watched) {
        let market = watched.slot.market
        guard let witness = self.setup.witness else {
            return self.answered(.useless("there is no REST witness"), watched)
        }
        // What was live before the lines were lost is still there, and nothing older may take its place.
        if let seen = watched.slot.read(), seen.trust == .live || (seen.trust.name == "stale" && seen.source != .poller)
        {
            watched.ghosts.saw(bid: seen.yes.bid, ask: seen.yes.ask, at: seen.exchangeTime)
        }
        witness.ask(market.assets) { [weak self, weak watched] results in
            guard let self, let watched, self.watched[market.id] === watched else { return }
            self.heard(results, watched)
        }
    }

    private func answered(_ testimony: MarketLiveness.Testimony, _ watched: Watched) {
        self.perform(watched.ladder.answered(testimony, now: self.setup.clock.now().monotonic), for: watched)
    }

    private func heard(_ results: [Result<RESTBook, RESTError>], _ watched: Watched) {
        var answers: [RESTBook] = []
        var books: [RESTBook] = []
        var trouble = "it knows no book of the market"
        for result in results {
            switch result {
            case .success(let book): answers.append(book)
            case .failure(let error):
                trouble = error.message
                if error.code == .unreachable || error.code == .timeout { self.isWitnessDown = true }
            }
        }
        // The older of two first: otherwise the newer one would make it look like a step back.
        for book in answers.sorted(by: { $0.timestamp < $1.timestamp }) {
            switch watched.ghosts.judge(book) {
            case .sane: books.append(book)
            case .ghost: trouble = "it gave a ghost: an empty book after a sane one"
            case .older: trouble = "it gave a book older than one seen before"
            case .foreign: trouble = "it gave a book of another market"
            }
        }
        let market = watched.slot.market
        let side = { (side: Side) in books.first { market.side(of: $0.asset) == side } }
        let known = watched.slot.read()?.yes.lastTrade
        guard let odds = RESTOdds(market: market, yes: side(.yes), no: side(.no), knownTrade: known) else {
            return self.answered(.useless(trouble), watched)
        }
        self.gaveSign()
        watched.odds = odds
        watched.book = side(odds.agreement.side)
        for carrier in watched.carriers { books.forEach { carrier.learn($0) } }
        // One token's book proves nothing about the other's.
        let isWhole = books.count == market.assets.count
        let agreeing = watched.carriers.filter { carrier in isWhole && books.allSatisfy { carrier.matches($0) } }
        self.answered(.books(odds.exchangeTime, agreeing: agreeing.map(\.seat)), watched)
        if !agreeing.isEmpty { self.tell(.verifiedQuiet, watched) }
    }

    /// The witness lives, so the exchange does: lines that wait for their next attempt need not wait for long.
    private func gaveSign() {
        self.engine.signOfLife(within: self.isWitnessDown ? .zero : .seconds(2))
        self.isWitnessDown = false
    }
}
