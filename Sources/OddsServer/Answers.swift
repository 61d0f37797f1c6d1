import OddsCore

/// What each path answers: reads the source, decides, returns values to encode. Nothing here knows HTTP but the errors.
struct Answers: Sendable {
    let source: any OddsSource
    /// nil when there is no bot beside the stream.
    let bot: (any BotSource)?
    /// nil when no history is kept.
    let history: (any HistoryReader)?
    /// nil when the reference price is not followed.
    let reference: (any ReferenceSource)?
    /// nil when latency is not measured.
    let latency: LatencyMeter?
    let clock: any StreamClock
    let version: String

    /// The plain page at `/`.
    var index: String {
        """
        oddstream \(self.version)

        /healthz              whether this process serves
        /v1/status            lines, series, counters, uptime
        /v1/markets           markets followed (?series=NAME, ?role=current|next|past|fixed)
        /v1/odds              odds of every market (?series=NAME)
        /v1/odds/{market}     odds of one market, by condition id or slug
        /v1/odds/current      odds of the current market of ?series=NAME
        /v1/reference         the price that markets are decided by, and the price to beat (?series=NAME)
        /v1/incidents         what went wrong, the newest first (?market=SLUG|ID, ?series=NAME, ?open=true|false, ?since=MS)
        /v1/latency           from the exchange to odds and decisions, by percentiles
        /metrics              counters, gauges and histograms for Prometheus
        /v1/spikes            odds over the threshold, the newest first (?market=, ?series=, ?since=MS, ?limit=, ?cursor=)
        /v1/trades            orders and what became of them, the newest first (the same)
        /v1/refusals          signals that were not acted on, the newest first (the same)
        /v1/account           cash, profit, positions, limits
        /v1/kill-switch       whether it is on; PUT {"on":true} stops all buying, from this machine only
        /v1/history/{market}  what was kept of a market (?kind=odds,spike,…, ?from=MS, ?until=MS, ?order=, ?limit=, ?cursor=)
        /v1/history           what was kept of all markets, and reference prices (?symbol=)

        """
    }

    func status() -> StatusRow {
        StatusRow(
            self.source.status, self.source.incidents(), parts: self.bot?.parts ?? [], version: self.version,
            now: self.clock.now().wall)
    }

    /// How old odds are when they can be read and are decided on.
    func latencies() throws(Problem) -> LatencyRecord {
        guard let latency = self.latency else { throw .notFound("Latency is not measured here.") }
        return LatencyRecord(latency.report(at: self.clock.now()))
    }

    /// Where current and next markets stand by the price that they are decided by.
    func references(series: String?) throws(Problem) -> List<ReferenceRow> {
        let known = try self.markets(series: series)
        guard let reference = self.reference else {
            throw .notFound("The reference price is not followed here: leave out --no-reference.")
        }
        return List(
            known.filter { $0.role != .past && $0.market.settlement != nil }
                .map { ReferenceRow(reference.reading(for: $0.market)) })
    }

    func markets(series: String?, role: String?) throws(Problem) -> List<MarketRow> {
        let known = try self.markets(series: series)
        guard let role else { return List(known.map(MarketRow.init)) }
        guard let wanted = MarketStatus.Role(rawValue: role) else {
            let allowed = MarketStatus.Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("There is no role '\(role)'. Allowed: \(allowed).")
        }
        return List(known.filter { $0.role == wanted }.map(MarketRow.init))
    }

    /// The incidents, the newest first. `since` keeps those that lasted until then or longer.
    func incidents(
        market: String?, series: String?, open: String?, since: String?
    ) throws(Problem) -> List<IncidentRow> {
        let report = self.source.incidents()
        var found: [Incident]
        switch open {
        case nil: found = report.all
        case "true": found = report.open
        case "false": found = report.finished
        case let text?: throw .badRequest("?open= cannot be '\(text)'. Allowed: true, false.")
        }
        if let market {
            let isKnown = (self.source.markets.map(\.market) + report.all.compactMap(\.market)).contains {
                Answers.is($0, market)
            }
            guard isKnown else {
                throw .notFound("Nothing is known of a market '\(market)'. /v1/markets lists those that are followed.")
            }
            found = found.filter { incident in incident.market.map { Answers.is($0, market) } ?? false }
        }
        if let series {
            _ = try self.markets(series: series)
            found = found.filter { $0.series == series }
        }
        if let since {
            guard let milliseconds = Int64(since) else {
                throw .badRequest("?since= cannot be '\(since)'. It takes milliseconds since 1970, UTC.")
            }
            found = found.filter { $0.end.map { $0.wall.milliseconds >= milliseconds } ?? true }
        }
        return List(found.map(IncidentRow.init))
    }

    static func `is`(_ market: Market, _ name: String) -> Bool {
        market.id.rawValue == name || (!market.slug.isEmpty && market.slug == name)
    }

    func odds(series: String?) throws(Problem) -> List<OddsRow> {
        List(try self.markets(series: series).compactMap { self.row($0) })
    }

    func odds(market name: String) throws(Problem) -> MarketOddsRow {
        let known = self.source.markets
        guard let found = known.first(where: { $0.market.id.rawValue == name || $0.market.slug == name }) else {
            throw .notFound(
                "No market '\(name)' is followed. /v1/markets lists those that are, by condition id and slug.")
        }
        return try self.odds(of: found)
    }

    func currentOdds(series name: String?) throws(Problem) -> MarketOddsRow {
        let currents = self.source.markets.filter { $0.role == .current }
        guard let name else {
            guard currents.count <= 1 else {
                let names = currents.compactMap(\.market.series).joined(separator: ", ")
                throw .badRequest("Several series are followed: name one with ?series=. Followed: \(names).")
            }
            guard let only = currents.first else { throw .notFound("No series has a current market now.") }
            return try self.odds(of: only)
        }
        guard let found = currents.first(where: { $0.market.series == name }) else {
            _ = try self.markets(series: name)
            throw .notFound("The series '\(name)' has no current market yet. /v1/status says why.")
        }
        return try self.odds(of: found)
    }

    private func odds(of status: MarketStatus) throws(Problem) -> MarketOddsRow {
        guard let row = self.row(status) else {
            let name = status.market.slug.isEmpty ? status.market.id.rawValue : status.market.slug
            throw .notFound("The market '\(name)' is followed, but no odds have come for it yet. Ask again shortly.")
        }
        return MarketOddsRow(
            odds: row, microstructure: self.source.microstructure(of: status.market.id),
            reference: self.reference?.reading(for: status.market))
    }

    private func row(_ status: MarketStatus) -> OddsRow? {
        self.source.currentOdds(status.market.id).map { OddsRow($0) }
    }

    /// The markets of a series, or all; a series that is not followed is a mistake worth telling.
    func markets(series: String?) throws(Problem) -> [MarketStatus] {
        let known = self.source.markets
        guard let series else { return known }
        let followed = Set(self.source.status.series.map(\.series) + known.compactMap(\.market.series))
        guard followed.contains(series) else {
            let names = followed.isEmpty ? "none" : followed.sorted().joined(separator: ", ")
            throw .notFound("The series '\(series)' is not followed. Followed: \(names).")
        }
        return known.filter { $0.market.series == series }
    }
}
