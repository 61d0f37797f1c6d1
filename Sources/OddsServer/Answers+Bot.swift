import OddsCore

/// What the bot beside the stream is asked.
extension Answers {
    func spikes(_ query: RecordQuery) throws(Problem) -> List<SpikeRecord> {
        try self.records(self.withBot().spikes(), query, key: { Int64(clamping: $0.number) }) {
            // Of a spike that was interrupted its peak is the last that is known.
            let last = $0.end ?? ($0.ending == nil ? nil : $0.peakTime)
            return BotRecord(market: $0.market, slug: $0.slug, begin: $0.begin, last: last)
        }
    }

    func trades(_ query: RecordQuery) throws(Problem) -> List<TradeRecord> {
        try self.records(self.withBot().trades(), query, key: { Int64(clamping: $0.order) }) {
            let last: Timestamp? =
                switch $0.status {
                case .pending, .open: nil
                case .rejected, .cancelled: $0.decided
                case .settled: $0.settledAt
                }
            return BotRecord(market: $0.market, slug: $0.slug, begin: $0.decided, last: last)
        }
    }

    func refusals(_ query: RecordQuery) throws(Problem) -> List<RefusalRecord> {
        try self.records(self.withBot().refusals(), query, key: { $0.time.milliseconds }) {
            BotRecord(market: $0.market, slug: $0.slug, begin: $0.time, last: $0.time)
        }
    }

    func account() throws(Problem) -> AccountRecord {
        guard let account = try self.withBot().account() else { throw Self.noTrading }
        return account
    }

    func killSwitch() throws(Problem) -> KillSwitchRecord { KillSwitchRecord(try self.account()) }

    /// Turns the kill switch. The answer is what it is afterwards.
    func turnKillSwitch(_ isOn: Bool) async throws -> KillSwitchRecord {
        guard let account = await (try self.withBot()).setKillSwitch(isOn, by: "http") else { throw Self.noTrading }
        guard account.isKilled == isOn else {
            throw Problem.conflict(
                isOn
                    ? "The kill switch could not be turned on. The program's log says why."
                    : "The kill switch stays on, by \(account.killedBy ?? "somebody else"): as long as the kill file exists "
                        + "nothing else turns it off. Remove the file first.")
        }
        return KillSwitchRecord(account)
    }

    // MARK: Parts

    private static var noTrading: Problem {
        .notFound("There is no trading loop. `oddstream run` has one unless --no-trading is given.")
    }

    private func withBot() throws(Problem) -> any BotSource {
        guard let bot = self.bot else {
            throw .notFound("There is no bot beside this stream. `oddstream run` has one.")
        }
        return bot
    }

    /// What records are chosen by. A record belongs to the time from its beginning until it was over: a spike while it lasts,
    /// an order while its outcome is open.
    private struct BotRecord {
        let market: MarketID
        let slug: String
        let begin: Timestamp
        /// When it was over; nil while it is not.
        let last: Timestamp?

        func `is`(_ name: String) -> Bool {
            self.market.rawValue == name || (!self.slug.isEmpty && self.slug == name)
        }
    }

    private func records<Item: Encodable & Sendable>(
        _ all: [Item], _ query: RecordQuery, key: (Item) -> Int64, _ facts: (Item) -> BotRecord
    ) throws(Problem) -> List<Item> {
        var found = all
        if let name = query.market {
            let isKnown =
                self.source.markets.contains { Answers.is($0.market, name) } || all.contains { facts($0).is(name) }
            guard isKnown else {
                throw .notFound("Nothing is known of a market '\(name)'. /v1/markets lists those that are followed.")
            }
            let ids = Set(self.source.markets.filter { Answers.is($0.market, name) }.map(\.market.id))
            found = found.filter { item in
                let facts = facts(item)
                return facts.is(name) || ids.contains(facts.market)
            }
        }
        if let name = query.series {
            let markets = Set(try self.markets(series: name).map(\.market.id))
            let series = try? MarketSeries(name)
            found = found.filter { item in
                let facts = facts(item)
                return markets.contains(facts.market) || Self.isSlug(facts.slug, of: series, at: facts.begin)
            }
        }
        if let since = query.since { found = found.filter { item in facts(item).last.map { $0 >= since } ?? true } }
        return query.page.cut(found, key: key)
    }

    /// Whether a market that is not followed any more was one of the series: its slug tells.
    private static func isSlug(_ slug: String, of series: MarketSeries?, at time: Timestamp) -> Bool {
        guard let series, !slug.isEmpty else { return false }
        if slug.hasPrefix("\(series.name)-") { return MarketSeries.window(ofSlug: slug) != nil }
        return series.slugs(for: series.window(containing: time)).contains(slug)
    }
}

extension KillSwitchRecord {
    fileprivate init(_ account: AccountRecord) { self.init(isOn: account.isKilled, by: account.killedBy) }
}
