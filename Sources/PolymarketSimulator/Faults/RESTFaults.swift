internal import OddsCore

/// The exchange as it stood some time ago.
struct PastExchange: Sendable {
    var time: MonotonicTime
    var engine: ExchangeEngine
}

/// What may be wrong with the CLOB's books and prices, token by token.
struct BookFaults {
    /// In force, the newest first.
    var active: [FaultState.Active] = []
    var engine: ExchangeEngine
    var past: [PastExchange] = []
    var now = MonotonicTime(nanoseconds: 0)

    private func first<Value>(_ asset: String, _ pick: (FaultState.Active) -> Value?) -> Value? {
        guard !self.active.isEmpty else { return nil }
        let series = self.engine.token(asset: asset)?.window.series.name
        for active in self.active where active.subject.covers(asset, series: series) {
            if let value = pick(active) { return value }
        }
        return nil
    }

    /// The exchange that answers for a token: an earlier one when its answers are old.
    func engine(for asset: String) -> ExchangeEngine {
        let age = self.first(asset) { active in
            if case .restStale(let age) = active.fault.kind { age } else { nil }
        }
        guard let age else { return self.engine }
        // Before the first tick nothing is known that is older.
        let then = self.past.last { $0.time.duration(to: self.now) >= age } ?? self.past.first
        return then?.engine ?? self.engine
    }

    /// The age of a token's ghost; nil when its book is told.
    func ghostAge(_ asset: String) -> Duration? {
        self.first(asset) { if case .ghostBook(let age) = $0.fault.kind { age } else { nil } }
    }

    /// Whether a token's hashes are wrong.
    func hasWrongHash(_ asset: String) -> Bool {
        let isWrong: Bool? = self.first(asset) { active in
            if case .wrongHash = active.fault.kind, active.fault.target.api == .clob { true } else { nil }
        }
        return isWrong ?? false
    }
}

/// Which markets Gamma does not know.
struct MarketFaults {
    var active: [FaultState.Active] = []
    /// The venue's time.
    var now: Timestamp

    func hides(_ window: SimulatedWindow) -> Bool {
        self.active.contains { active in
            guard case .missingMarket(let until) = active.fault.kind,
                active.subject.covers(window.up, series: window.series.name)
            else { return false }
            return until.map { self.now < window.start.advanced(by: $0) } ?? true
        }
    }
}

extension ExchangeEngine {
    /// What a target is about, with its names looked up; nil when there is no such market.
    func subject(of target: FaultTarget) -> FaultSubject? {
        func token(_ window: SimulatedWindow?, _ outcome: FaultTarget.Outcome) -> FaultSubject? {
            window.map { .assets([$0.asset(outcome == .up ? .up : .down)]) }
        }
        switch target.subject {
        case nil: return .everything
        case .asset(let id): return .assets([id])
        case .outcome(let outcome, let slug): return token(self.window(slug: slug), outcome)
        case .slug(let slug): return self.window(slug: slug).map { .assets([$0.up, $0.down]) }
        case .series(let name): return self.series(named: name).map { .series($0.name) }
        case .current(let outcome, let name):
            let series = name.map { self.series(named: $0) } ?? self.configuration.series.first
            return series.flatMap { token(self.market(of: $0, $0.window(containing: self.now)), outcome) }
        }
    }
}
