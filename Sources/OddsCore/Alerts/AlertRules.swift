/// Decides what a person should hear about: what a source tells once a second in, alerts out.
///
/// | alert | when | severity |
/// | --- | --- | --- |
/// | `feed_failures` | five failures in a row on a connection | warning; critical while no connection is live |
/// | `stale` | a current or fixed market stale, or without odds, for over a minute | critical |
/// | `fallback` | the same served by the poller for over a minute | warning |
/// | `suspect` | the same contradicted for over a minute | warning |
/// | `missing_market` | a market not to be found for 15 s | warning; critical when the window has begun |
/// | `recovery` | everything an alert was about is well again for five seconds | info |
///
/// A series says that its next market is missing from 60 s before the window's start on: before that there is time. So
/// a person hears of it 45 s before the start.
///
/// Trouble is one however it changes: a market that is suspect, then stale, then served by the poller has been without
/// live odds since the beginning, and a minute of that is one alert. It is said once, once more when it becomes worse
/// for as long, and when it is over, with its downtime. Trouble that goes away for less than five seconds has not gone
/// away. What was never alerted does not recover either. A series is one trouble across its windows.
///
/// While connections keep failing and none is live, what that brings about (stale odds, markets not to be found) goes
/// into the same thread, and the recovery is told when all of it is over.
public struct AlertRules: Sendable {
    /// The limits.
    public struct Configuration: Sendable, Equatable {
        /// How many failures of a connection in a row are told.
        public var failures = 5
        /// How long odds may be other than live before it is told.
        public var tolerance = Duration.seconds(60)
        /// How long a market may be missing before it is told.
        public var missingTolerance = Duration.seconds(15)
        /// Whether odds from the poller are what was asked for, and so no trouble.
        public var acceptsFallback = false
        /// How long trouble must stay away to be over.
        public var recoveredAfter = Duration.seconds(5)

        /// The defaults.
        public init() {}
    }

    /// What a source tells at one moment.
    public struct Observation: Sendable {
        /// One market whose odds matter now.
        public struct Odds: Sendable {
            /// The market, by its series or else its slug or id: the same across windows.
            public var name: String
            /// The market's own slug, or its id.
            public var market: String
            /// How its odds are served; nil when there are none.
            public var trust: Trust?
            /// The open incident about it; nil when there is none.
            public var incident: Incident?

            /// The odds of one market.
            public init(name: String, market: String, trust: Trust?, incident: Incident? = nil) {
                self.name = name
                self.market = market
                self.trust = trust
                self.incident = incident
            }
        }

        /// The connections.
        public var lines: [LineStatus]
        /// When the oldest trouble of a connection that is still down began; nil when that is not known.
        public var linesDownSince: ReceiveTime?
        /// The current markets of the series, and the fixed ones.
        public var odds: [Odds]
        /// The series.
        public var series: [SeriesStatus]
        /// What is wrong with markets named by slug or condition id.
        public var problems: [String]

        /// An observation from its parts.
        public init(
            lines: [LineStatus], linesDownSince: ReceiveTime? = nil, odds: [Odds], series: [SeriesStatus],
            problems: [String] = []
        ) {
            self.lines = lines
            self.linesDownSince = linesDownSince
            self.odds = odds
            self.series = series
            self.problems = problems
        }

        /// Whether somebody who is told nothing else may be at ease: a market is live (or served by the poller, where
        /// that was asked for), and every series has its current market.
        public func isHealthy(acceptingFallback: Bool = false) -> Bool {
            let isServed = self.odds.contains { odds in
                switch odds.trust {
                case .live: true
                case .fallback: acceptingFallback
                case .suspect, .stale, .resolving, .closed, nil: false
                }
            }
            return isServed && !self.series.contains { $0.problem != nil && $0.current == nil }
        }

        /// What a source tells now.
        public init(of source: any OddsSource) {
            let status = source.status
            let open = source.incidents().open
            self.lines = status.lines
            self.linesDownSince = open.compactMap { incident in
                if case .line = incident.subject { incident.latestBegin } else { nil }
            }.min { $0.monotonic < $1.monotonic }
            self.odds = source.markets.compactMap { status in
                let market = status.market
                // A market that is let go, or decided, owes nobody any odds.
                guard status.role == .current || status.role == .fixed, status.subscribed, status.winner == nil else {
                    return nil
                }
                let name = market.slug.isEmpty ? market.id.rawValue : market.slug
                return Odds(
                    name: status.role == .current ? market.series ?? name : name, market: name,
                    trust: source.currentOdds(market.id)?.trust,
                    incident: open.first { $0.market?.id == market.id })
            }
            self.series = status.series
            self.problems = status.problems
        }
    }

    /// Something that is wrong now.
    private struct Condition {
        let key: Alert.IncidentKey
        let kind: Alert.Kind
        let severity: Alert.Severity
        let limit: Duration
        let title: String
        let text: String
        var since: ReceiveTime?
    }

    private struct Trouble {
        let since: MonotonicTime
        /// Since when it has been at least as severe as this, without a break.
        var levels: [Alert.Severity: MonotonicTime] = [:]
        var told: Alert.Severity?
        /// Whose thread it is told in.
        var thread: Alert.IncidentKey
        var title: String
        /// Since when it has not been seen; nil while it lasts.
        var wellSince: MonotonicTime?
    }

    /// Alerts that belong together, until all they are about is over.
    private struct Thread {
        var since: MonotonicTime
        var members: Set<Alert.IncidentKey>
        var lastWell: MonotonicTime
        let title: String
    }

    private static let feed = Alert.IncidentKey("feed")

    private let configuration: Configuration
    private var troubles: [Alert.IncidentKey: Trouble] = [:]
    private var threads: [Alert.IncidentKey: Thread] = [:]

    /// Rules that have seen nothing yet.
    public init(configuration: Configuration = Configuration()) { self.configuration = configuration }

    /// How many threads are open: alerts whose recovery has not been told.
    public var openCount: Int { self.threads.count }

    /// What a person should hear now.
    public mutating func observe(_ observation: Observation, now: ReceiveTime) -> [Alert] {
        let conditions = self.conditions(observation)
        var alerts = conditions.compactMap { self.heed($0, now) }
        let seen = Set(conditions.map(\.key))
        for key in self.troubles.keys.sorted(by: { $0.rawValue < $1.rawValue }) where !seen.contains(key) {
            if let alert = self.passOver(key, now) { alerts.append(alert) }
        }
        return alerts
    }

    // MARK: Conditions

    private func conditions(_ observation: Observation) -> [Condition] {
        [self.feedCondition(observation.lines, since: observation.linesDownSince)].compactMap { $0 }
            + observation.odds.compactMap { self.oddsCondition($0) }
            + observation.series.compactMap { self.missingCondition($0) }
            + self.missingCondition(observation.problems)
    }

    private func feedCondition(_ lines: [LineStatus], since: ReceiveTime?) -> Condition? {
        // What is not needed any more does not fail.
        let lines = lines.filter { $0.state != "closed" }
        // A connection that is trying again after it was told of is still failing.
        let failing = lines.filter { $0.failuresInARow >= self.configuration.failures }
        let isTold = self.troubles[Self.feed]?.told != nil
        let down = isTold ? lines.filter { $0.failuresInARow > 0 } : failing
        guard let worst = down.max(by: { $0.failuresInARow < $1.failuresInARow }) else { return nil }
        let hasLive = lines.contains { $0.state == "live" }
        let numbers = Set(down.map(\.line)).sorted().map(String.init).joined(separator: ", ")
        let why = worst.lastError.map { "The last error: \(Self.sentence($0)) " } ?? ""
        return Condition(
            key: Self.feed, kind: .feedFailures, severity: hasLive ? .warning : .critical, limit: .zero,
            title: hasLive
                ? "Line \(numbers) failed \(self.configuration.failures) times in a row; another line is live"
                : "No line is live after \(self.configuration.failures) failures in a row",
            text: why + "Reconnecting goes on by itself. Check network and exchange, or run `oddstream doctor`.",
            since: since)
    }

    private func oddsCondition(_ odds: Observation.Odds) -> Condition? {
        let kind: Alert.Kind
        let severity: Alert.Severity
        let state: String
        switch odds.trust {
        case .live, .resolving, .closed, .stale(_, .stopped): return nil
        case .fallback where self.configuration.acceptsFallback: return nil
        case .suspect(let reason): (kind, severity, state) = (.suspect, .warning, "suspect (\(reason.rawValue))")
        case .fallback: (kind, severity, state) = (.fallback, .warning, "served by the poller")
        case .stale(_, let reason): (kind, severity, state) = (.stale, .critical, "stale (\(reason.rawValue))")
        case nil: (kind, severity, state) = (.stale, .critical, "missing")
        }
        let advice =
            switch kind {
            case .fallback: "Odds are up to a second old and brief moves between two polls are not seen."
            case .suspect: "Odds are served, and something contradicts them."
            case .stale, .feedFailures, .missingMarket, .spike, .trade, .killSwitch, .recovery, .test:
                "Odds are not confirmed by anything: do not trade on them."
            }
        let story = odds.incident.map { " \(Self.sentence($0.summary))" } ?? ""
        return Condition(
            key: Alert.IncidentKey("odds/\(odds.name)"), kind: kind, severity: severity,
            limit: self.configuration.tolerance, title: "Odds of \(odds.market) are \(state)",
            text: advice + story + " /v1/incidents tells more.", since: odds.incident?.latestBegin)
    }

    private func missingCondition(_ series: SeriesStatus) -> Condition? {
        guard let problem = series.problem else { return nil }
        return Condition(
            key: Alert.IncidentKey("missing/\(series.series)"), kind: .missingMarket,
            severity: series.current == nil ? .critical : .warning, limit: self.configuration.missingTolerance,
            title: series.current == nil
                ? "The current market of \(series.series) is missing"
                : "The next market of \(series.series) is missing",
            text: "\(Self.sentence(problem)) Looking it up goes on by itself. Check whether the venue lists it.")
    }

    private func missingCondition(_ problems: [String]) -> [Condition] {
        guard !problems.isEmpty else { return [] }
        return [
            Condition(
                key: Alert.IncidentKey("missing/fixed"), kind: .missingMarket, severity: .warning,
                limit: self.configuration.missingTolerance, title: "A market named by hand cannot be found",
                text: Self.sentence(problems.joined(separator: "; ")) + " Check --slug and --condition.")
        ]
    }

    /// What was said elsewhere, with one full stop at its end.
    private static func sentence(_ text: String) -> String { text.last == "." ? text : text + "." }

    // MARK: Trouble

    /// The condition holds now.
    private mutating func heed(_ condition: Condition, _ now: ReceiveTime) -> Alert? {
        let key = condition.key
        let known = self.troubles[key]
        let since = known?.since ?? min(condition.since?.monotonic ?? now.monotonic, now.monotonic)
        var trouble = known ?? Trouble(since: since, thread: key, title: condition.title)
        defer { self.troubles[key] = trouble }
        trouble.wellSince = nil
        for level in Alert.Severity.allCases {
            if level > condition.severity {
                trouble.levels[level] = nil
            } else if trouble.levels[level] == nil {
                trouble.levels[level] = known == nil ? since : now.monotonic
            }
        }
        let begin: MonotonicTime
        switch trouble.told {
        case nil: begin = trouble.since
        case let told? where condition.severity > told: begin = trouble.levels[condition.severity] ?? now.monotonic
        case _?: return nil
        }
        guard begin.duration(to: now.monotonic) >= condition.limit else { return nil }
        if trouble.told == nil { self.join(&trouble, key, condition) }
        trouble.told = condition.severity
        let lasted = trouble.since.duration(to: now.monotonic)
        let age = lasted > .zero ? " It has lasted \(Alert.spoken(lasted))." : ""
        return Alert(
            severity: condition.severity, kind: condition.kind, incident: trouble.thread, title: condition.title,
            text: condition.text + age, time: now.wall)
    }

    /// Chooses the thread: that of the dead feed, when there is one, since it explains the rest.
    private mutating func join(_ trouble: inout Trouble, _ key: Alert.IncidentKey, _ condition: Condition) {
        let isFeedDead = self.troubles[Self.feed]?.told == .critical && self.threads[Self.feed] != nil
        trouble.thread = isFeedDead ? Self.feed : key
        let new = Thread(since: trouble.since, members: [], lastWell: trouble.since, title: condition.title)
        self.threads[trouble.thread, default: new].members.insert(key)
    }

    /// The trouble is not seen now: it is over when it stays away.
    private mutating func passOver(_ key: Alert.IncidentKey, _ now: ReceiveTime) -> Alert? {
        guard var trouble = self.troubles[key] else { return nil }
        let since = trouble.wellSince ?? now.monotonic
        trouble.wellSince = since
        self.troubles[key] = trouble
        guard since.duration(to: now.monotonic) >= self.configuration.recoveredAfter else { return nil }
        self.troubles[key] = nil
        guard trouble.told != nil, var thread = self.threads[trouble.thread] else { return nil }
        thread.members.remove(key)
        thread.since = min(thread.since, trouble.since)
        thread.lastWell = max(thread.lastWell, since)
        guard thread.members.isEmpty else {
            self.threads[trouble.thread] = thread
            return nil
        }
        self.threads[trouble.thread] = nil
        return Alert(
            severity: .info, kind: .recovery, incident: trouble.thread, title: "Recovered: \(thread.title)",
            text: "All is well again.", time: now.wall, downtime: thread.since.duration(to: thread.lastWell))
    }
}
