internal import OddsCore

/// The Gamma REST API over the simulated exchange: which markets there are.
struct GammaAnswers {
    private static let pageLimit = 100
    /// How far back closed windows are listed.
    private static let history = Duration.seconds(86_400)

    let engine: ExchangeEngine
    let faults: MarketFaults

    func answer(_ question: HTTPQuestion) -> HTTPAnswer {
        guard question.method == "GET" else { return .error(405, "Method Not Allowed") }
        switch question.path {
        case "/markets": return self.list(self.windows(question), question) { self.market($0, withEvent: true) }
        case "/events": return self.list(self.windows(question), question) { self.event($0) }
        case let path where path.hasPrefix("/markets/slug/"):
            return self.one(path.dropFirst(14)) { self.market($0, withEvent: true) }
        case let path where path.hasPrefix("/events/slug/"): return self.one(path.dropFirst(13)) { self.event($0) }
        case "/status", "/": return HTTPAnswer("\"OK\"")
        default: return Self.notFound("page")
        }
    }

    private static func notFound(_ thing: String) -> HTTPAnswer {
        HTTPAnswer(status: 404, #"{"type":"not found error","error":"\#(thing) not found"}"#)
    }

    private func one(_ slug: Substring, _ json: (SimulatedWindow) -> String) -> HTTPAnswer {
        guard let window = self.engine.window(slug: String(slug)), !self.faults.hides(window) else {
            return Self.notFound("slug")
        }
        return HTTPAnswer(json(window))
    }

    // MARK: Listing

    /// The windows asked for by name, or one page of a series.
    private func windows(_ question: HTTPQuestion) -> [SimulatedWindow] {
        let slugs = question.values("slug")
        let conditions = question.values("condition_ids")
        let tokens = question.values("clob_token_ids")
        if !slugs.isEmpty || !conditions.isEmpty || !tokens.isEmpty {
            var seen: Set<String> = []
            let named =
                slugs.compactMap { self.engine.window(slug: $0) }
                + conditions.compactMap { self.engine.window(condition: $0) }
                + tokens.compactMap { self.engine.token(asset: $0)?.window }
            let closed = question.value("closed").map { $0 == "true" }
            return named.filter { window in
                !self.faults.hides(window) && seen.insert(window.slug).inserted
                    && (closed == nil || closed == self.isClosed(window))
            }
        }
        return self.page(question)
    }

    private func page(_ question: HTTPQuestion) -> [SimulatedWindow] {
        let series = self.engine.configuration.series.filter { series in
            if let id = question.value("series_id") { return id == Self.seriesNumber(series) }
            if let slug = question.value("series_slug") { return slug == Self.seriesSlug(series) }
            return true
        }
        let limit = min(Self.pageLimit, question.value("limit").flatMap(Int.init) ?? 20)
        let offset = max(0, question.value("offset").flatMap(Int.init) ?? 0)
        let closed = question.value("closed").map { $0 == "true" }
        let isAscending = question.value("ascending") != "false"

        let from = self.engine.now.advanced(
            by: .zero - (closed == false ? self.engine.configuration.resolutionDelay : Self.history))
        var grid: [(series: MarketSeries, window: MarketWindow)] = []
        for series in series {
            for window in self.engine.windows(of: series, from: from) {
                let ended = window.end.advanced(by: self.engine.configuration.resolutionDelay) <= self.engine.now
                if closed == nil || closed == ended { grid.append((series, window)) }
            }
        }
        // Every order offered is the order of time.
        grid.sort { isAscending ? $0.window.end < $1.window.end : $0.window.end > $1.window.end }
        // Lazily: most windows listed are on no page.
        let known = grid.lazy.map { self.engine.market(of: $0.series, $0.window) }.filter { !self.faults.hides($0) }
        return Array(known.dropFirst(offset).prefix(max(0, limit)))
    }

    private func list(
        _ windows: [SimulatedWindow], _ question: HTTPQuestion, _ json: (SimulatedWindow) -> String
    ) -> HTTPAnswer {
        HTTPAnswer("[" + windows.map(json).joined(separator: ",") + "]")
    }

    private func isClosed(_ window: SimulatedWindow) -> Bool { self.engine.winner(of: window) != nil }

    // MARK: Objects

    private func market(_ window: SimulatedWindow, withEvent: Bool) -> String {
        let winner = self.engine.winner(of: window)
        let isOpen = self.engine.now < window.end
        let process = self.engine.process(of: window)
        let top = process?.book.top(of: .up)
        let bid = top?.bid?.price
        let ask = top?.ask?.price
        let listed = CivilTime(utc: window.listed.seconds)
        let end = CivilTime(utc: window.end.seconds)
        let prices: [String]
        if let winner {
            prices = Token.allCases.map { $0 == winner ? "1" : "0" }
        } else if let bid, let ask {
            let middle = Odds.midpoint(bid, ask)
            prices = [middle.description, middle.complement.description]
        } else {
            prices = ["0.5", "0.5"]
        }
        var json: [String] = [
            #""id":"\#(window.number)""#,
            #""question":\#(Text.quoted(window.title))"#,
            #""conditionId":"\#(window.condition)""#,
            #""slug":"\#(window.slug)""#,
            #""resolutionSource":"""#,
            #""endDate":"\#(end.iso)""#,
            #""liquidity":"0""#,
            #""startDate":"\#(CivilTime(utc: window.listed.seconds + 1).iso)""#,
            #""description":\#(Text.quoted(window.rules))"#,
            #""outcomes":\#(Self.stringed(Token.allCases.map(\.label)))"#,
            #""outcomePrices":\#(Self.stringed(prices))"#,
            #""volume":"\#(process?.volume ?? .zero)""#,
            #""active":true,"closed":\#(winner != nil),"archived":false,"new":false,"featured":false"#,
            #""marketMakerAddress":"","restricted":true,"groupItemThreshold":"0""#,
            #""createdAt":"\#(listed.date)T\#(listed.time).044029Z""#,
            #""updatedAt":"\#(CivilTime(utc: max(window.listed.seconds, self.engine.now.seconds)).iso)""#,
            #""questionID":"\#(window.question)","enableOrderBook":true"#,
            #""orderPriceMinTickSize":\#(process?.tickSize ?? 0.01),"orderMinSize":5"#,
            #""endDateIso":"\#(end.date)","startDateIso":"\#(listed.date)","hasReviewedDates":true"#,
            #""volumeNum":\#(process?.volume ?? .zero),"liquidityNum":0"#,
            #""clobTokenIds":\#(Self.stringed(Token.allCases.map(window.asset)))"#,
            #""makerBaseFee":1000,"takerBaseFee":1000,"acceptingOrders":\#(isOpen),"negRisk":false,"ready":false"#,
            #""funded":false,"acceptingOrdersTimestamp":"\#(listed.iso)","cyom":false,"competitive":0"#,
            #""rewardsMinSize":50,"rewardsMaxSpread":4.5"#,
        ]
        if let bid, let ask { json.append(#""spread":\#(Price(rawValue: ask.rawValue - bid.rawValue))"#) }
        json.append(#""lastTradePrice":\#(process?.lastTrade?.price ?? .zero)"#)
        if let bid { json.append(#""bestBid":\#(bid)"#) }
        json.append(#""bestAsk":\#(ask ?? .one)"#)
        json.append(#""automaticallyActive":true,"clearBookOnStart":false,"manualActivation":false"#)
        json.append(#""negRiskOther":false,"umaResolutionStatuses":"[]","pendingDeployment":false,"deploying":false"#)
        json.append(#""rfqEnabled":false,"eventStartTime":"\#(CivilTime(utc: window.start.seconds).iso)""#)
        json.append(#""holdingRewardsEnabled":false,"feesEnabled":true,"requiresTranslation":false"#)
        json.append(
            #""feeType":"crypto_fees_v2","feeSchedule":{"exponent":1,"rate":0.07,"takerOnly":true,"rebateRate":0.2}"#)
        let lookback = self.engine.configuration.lookbackSeconds(of: window.series)
        json.append(
            #""cryptoMarketConfig":{"twapEnabled":\#(lookback != nil),"twapLookbackSeconds":\#(lookback ?? 0)}"#)
        if winner != nil {
            let decided = window.end.advanced(by: self.engine.configuration.resolutionDelay)
            let reading = CivilTime(utc: decided.seconds)
            json.append(#""closedTime":"\#(reading.date) \#(reading.time)+00","umaEndDate":"\#(reading.iso)""#)
            json.append(#""umaResolutionStatus":"resolved","automaticallyResolved":true"#)
        }
        if withEvent {
            json.append(#""events":[{\#(self.eventHead(window)),\#(Self.seriesMember(window.series))}]"#)
        }
        return "{" + json.joined(separator: ",") + "}"
    }

    private func event(_ window: SimulatedWindow) -> String {
        let tags = [
            #"{"id":"102127","label":"Up or Down","slug":"up-or-down"}"#,
            #"{"id":"1312","label":"Crypto Prices","slug":"crypto-prices"}"#,
        ]
        return "{" + self.eventHead(window) + #","markets":[\#(self.market(window, withEvent: false))],"#
            + Self.seriesMember(window.series) + #","tags":[\#(tags.joined(separator: ","))],"#
            + #""seriesSlug":"\#(Self.seriesSlug(window.series))"}"#
    }

    private func eventHead(_ window: SimulatedWindow) -> String {
        let listed = CivilTime(utc: window.listed.seconds)
        return #""id":"\#(window.eventNumber)","ticker":"\#(window.slug)","slug":"\#(window.slug)","#
            + #""title":\#(Text.quoted(window.title)),"description":\#(Text.quoted(window.rules)),"#
            + #""resolutionSource":"","startDate":"\#(CivilTime(utc: window.listed.seconds + 1).iso)","#
            + #""creationDate":"\#(listed.iso)","endDate":"\#(CivilTime(utc: window.end.seconds).iso)","#
            + #""startTime":"\#(CivilTime(utc: window.start.seconds).iso)","active":true,"#
            + #""closed":\#(self.isClosed(window)),"archived":false,"new":false,"featured":false,"restricted":true,"#
            + #""enableOrderBook":true,"negRisk":false,"createdAt":"\#(listed.iso)""#
    }

    private static func seriesMember(_ series: MarketSeries) -> String {
        let slug = Self.seriesSlug(series)
        return #""series":[{"id":"\#(Self.seriesNumber(series))","ticker":"\#(slug)","slug":"\#(slug)","#
            + #""title":\#(Text.quoted(slug)),"seriesType":"single","active":true,"closed":false,"archived":false}]"#
    }

    /// `btc-up-or-down-15m`.
    static func seriesSlug(_ series: MarketSeries) -> String {
        let parts = series.name.split(separator: "-")
        return "\(parts[0])-up-or-down-\(parts[2])"
    }

    /// The venue's number of the series, where it is known.
    static func seriesNumber(_ series: MarketSeries) -> String {
        switch series.name {
        case "btc-updown-15m": "10192"
        case "sol-updown-15m": "10423"
        case "xrp-updown-15m": "10422"
        case "eth-updown-5m": "10683"
        case "btc-updown-5m": "10684"
        case "xrp-updown-5m": "10685"
        case "btc-updown-1h": "10114"
        case "eth-updown-1h": "10117"
        case "btc-updown-4h": "10331"
        default: String(20_000 + Deterministic.hash(series.name) % 10_000)
        }
    }

    /// JSON inside a string, spelled as the venue does: `"[\"Up\", \"Down\"]"`.
    private static func stringed(_ items: [String]) -> String {
        Text.quoted("[" + items.map { "\"\($0)\"" }.joined(separator: ", ") + "]")
    }
}
