internal import OddsCore

/// The markets that a tape has told of: what was followed, how it ended, and what Gamma answered.
struct TapeMarkets: Sendable {
    private struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
        var time: Int64
    }

    private struct End: Sendable {
        var winner: Side?
        var time: Int64
    }

    private var markets: [String: Market] = [:]
    /// By condition id, in the order they came.
    private var order: [String] = []
    private var assets: [String: String] = [:]
    private var ends: [String: End] = [:]
    private var answers: [String: Answer] = [:]

    /// Paths of Gamma that are remembered, the newest.
    private static let memory = 10_000

    mutating func commanded(_ command: FeedCommand, at time: Int64) {
        switch command {
        case .follow(let market): self.add(market)
        case .resolved(let resolution):
            self.add(resolution.market)
            guard resolution.winner != nil || resolution.source == .gamma else { return }
            self.ends[resolution.market.id.rawValue] = End(winner: resolution.winner, time: time)
        case .rollover(let receipt): self.add(receipt.market)
        case .followTokens, .unfollow, .discovery: break
        }
    }

    private mutating func add(_ market: Market) {
        let id = market.id.rawValue
        if self.markets.updateValue(market, forKey: id) == nil { self.order.append(id) }
        for asset in market.assets { self.assets[asset.rawValue] = id }
    }

    mutating func answered(_ exchange: RESTExchange, at time: Int64) {
        guard exchange.service == .gamma, let status = exchange.status, status == 200 else { return }
        guard self.answers.count < Self.memory || self.answers[exchange.path] != nil else { return }
        self.answers[exchange.path] = Answer(status: status, body: exchange.body, time: time)
    }

    /// The market of a token.
    func market(of asset: String) -> Market? { self.assets[asset].flatMap { self.markets[$0] } }

    // MARK: Gamma

    /// What Gamma said to this very question, or what follows from what is known of markets.
    func answer(_ question: HTTPQuestion) -> HTTPAnswer {
        guard question.method == "GET" else { return .error(405, "Method Not Allowed") }
        let asked = self.asked(question)
        let isNewer = asked.contains { market in
            guard let end = self.ends[market.id.rawValue] else { return false }
            return (self.answers[question.target]?.time ?? .min) < end.time
        }
        if !isNewer, let recorded = self.answers[question.target] {
            return HTTPAnswer(status: recorded.status, bytes: recorded.body)
        }
        switch question.path {
        case "/status", "/": return HTTPAnswer("\"OK\"")
        case "/markets": return Self.list(asked.map { self.json($0) })
        case "/events": return Self.list(asked.map { self.event($0) })
        case let path where path.hasPrefix("/markets/slug/"):
            return asked.first.map { HTTPAnswer(self.json($0)) } ?? Self.notFound
        case let path where path.hasPrefix("/events/slug/"):
            return asked.first.map { HTTPAnswer(self.event($0)) } ?? Self.notFound
        default: return Self.notFound
        }
    }

    private static let notFound = HTTPAnswer(status: 404, #"{"type":"not found error","error":"not found"}"#)

    private static func list(_ items: [String]) -> HTTPAnswer { HTTPAnswer("[" + items.joined(separator: ",") + "]") }

    /// The markets that a question names; all when it names none.
    private func asked(_ question: HTTPQuestion) -> [Market] {
        let all = self.order.compactMap { self.markets[$0] }
        for prefix in ["/markets/slug/", "/events/slug/"] where question.path.hasPrefix(prefix) {
            return all.filter { $0.slug == question.path.dropFirst(prefix.count) }
        }
        let slugs = question.values("slug")
        let conditions = question.values("condition_ids")
        let tokens = question.values("clob_token_ids")
        let closed = question.value("closed").map { $0 == "true" }
        return all.filter { market in
            guard closed == nil || closed == self.isClosed(market) else { return false }
            if slugs.isEmpty && conditions.isEmpty && tokens.isEmpty { return true }
            return slugs.contains(market.slug) || conditions.contains(market.id.rawValue)
                || market.assets.contains { tokens.contains($0.rawValue) }
        }
    }

    private func isClosed(_ market: Market) -> Bool { market.closed || self.ends[market.id.rawValue] != nil }

    private func event(_ market: Market) -> String {
        #"{"slug":\#(Text.quoted(market.slug)),"title":\#(Text.quoted(market.question ?? market.slug)),"#
            + #""closed":\#(self.isClosed(market)),"markets":[\#(self.json(market))]}"#
    }

    /// A market as Gamma spells it, as far as the recording says.
    private func json(_ market: Market) -> String {
        let outcomes = [market.yes] + (market.no.map { [$0] } ?? [])
        let end = self.ends[market.id.rawValue]
        let prices: [String] =
            if let end {
                switch end.winner {
                case .yes: ["1", "0"]
                case .no: ["0", "1"]
                case nil: ["0.5", "0.5"]
                }
            } else { ["0.5", "0.5"] }
        func texts(_ list: [String]) -> String {
            Text.quoted("[" + list.map { Text.quoted($0) }.joined(separator: ", ") + "]")
        }
        var fields = [
            #""conditionId":\#(Text.quoted(market.id.rawValue))"#, #""slug":\#(Text.quoted(market.slug))"#,
            #""question":\#(Text.quoted(market.question ?? market.slug))"#,
            #""outcomes":\#(texts(outcomes.map(\.label)))"#,
            #""clobTokenIds":\#(texts(outcomes.map(\.asset.rawValue)))"#,
            #""outcomePrices":\#(texts(Array(prices.prefix(outcomes.count))))"#,
            #""orderPriceMinTickSize":\#(market.tickSize)"#, #""orderMinSize":\#(market.minimumOrderSize)"#,
            #""negRisk":\#(market.negativeRisk)"#, #""enableOrderBook":true"#, #""active":true"#,
            #""acceptingOrders":\#(market.acceptingOrders && !self.isClosed(market))"#,
            #""closed":\#(self.isClosed(market))"#,
        ]
        if let window = market.window {
            fields.append(#""eventStartTime":"\#(window.start.iso8601)""#)
            fields.append(#""endDate":"\#(window.end.iso8601)""#)
        }
        if let fees = market.fees {
            fields.append(#""feesEnabled":\#(fees.areEnabled)"#)
            if let schedule = fees.schedule {
                fields.append(
                    #""feeSchedule":{"rate":\#(Self.decimal(schedule.rate)),"exponent":\#(Self.decimal(schedule.exponent))}"#
                )
            }
        }
        return "{" + fields.joined(separator: ",") + "}"
    }

    /// Millionths as a plain decimal.
    private static func decimal(_ millionths: Int64) -> String {
        let fraction = String(1_000_000 + millionths % 1_000_000).dropFirst()
        return "\(millionths / 1_000_000).\(fraction)"
    }
}
