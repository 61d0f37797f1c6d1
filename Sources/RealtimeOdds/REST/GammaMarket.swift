import OddsCore

/// One market as Gamma describes it: fields whose types vary, read when they are needed.
///
/// Lists may be JSON inside a string, numbers and flags may be strings; that is accepted everywhere. What decides which
/// token is which, when the window is and what a price step is must be right, or the market is refused with the field's name.
struct GammaMarket {
    /// What was asked for; errors name it.
    let asked: String
    let fields: [String: JSONValue]

    /// The slug it calls itself; what was asked for when it has none.
    var slug: String {
        guard case .string(let slug) = self.fields["slug"], !slug.isEmpty else { return self.asked }
        return slug
    }

    /// The error of a field that cannot be used.
    static func malformed(asked: String, field: String, expected: String, found: String) -> RESTError {
        RESTError(.malformed, "Gamma's market \(asked): \(field) should be \(expected), found \(found)")
    }

    private func malformed(_ field: String, _ expected: String) -> RESTError {
        Self.malformed(
            asked: self.asked, field: field, expected: expected, found: self.fields[field]?.summary ?? "nothing")
    }

    // MARK: The whole

    func conditionID() throws(RESTError) -> MarketID {
        guard case .string(let id) = self.fields["conditionId"], !id.isEmpty else {
            throw self.malformed("conditionId", "a condition id")
        }
        return MarketID(id)
    }

    /// Everything, checked.
    func finding() throws(RESTError) -> MarketFinding {
        let id = try self.conditionID()
        let outcomes = try self.outcomes()
        let yes = try self.indexOfYes(outcomes)
        let isClosed = try self.flag("closed") ?? false
        let window = try self.window()
        let market = Market(
            id: id, slug: self.slug, question: self.question, window: window, yes: outcomes[yes],
            no: outcomes.count == 2 ? outcomes[1 - yes] : nil, tickSize: try self.tickSize(),
            minimumOrderSize: try self.minimumOrderSize(), negativeRisk: try self.flag("negRisk") ?? false,
            acceptingOrders: try self.flag("acceptingOrders") ?? true, closed: isClosed, fees: self.fees,
            settlement: self.referenceSettlement(window))
        return MarketFinding(
            market: market, settlement: isClosed ? self.settlement(yes: yes) : .open,
            hasOrderBook: try self.flag("enableOrderBook") ?? true)
    }

    private var question: String? {
        guard case .string(let question) = self.fields["question"] else { return nil }
        return question
    }

    // MARK: Outcomes

    /// Labels and tokens, which belong together by their index.
    private func outcomes() throws(RESTError) -> [Outcome] {
        guard let labels = self.texts("outcomes") else {
            throw self.malformed("outcomes", "a list of one or two labels")
        }
        guard let tokens = self.texts("clobTokenIds") else {
            throw self.malformed("clobTokenIds", "a list of token ids")
        }
        // A market that has just been made has no tokens yet: it is there, but not to be followed.
        guard !tokens.isEmpty, !tokens.contains("") else {
            throw RESTError(.notFound, "Gamma's market \(self.asked) has no tokens yet")
        }
        guard (1...2).contains(labels.count), labels.count == tokens.count, Set(tokens).count == tokens.count else {
            let found = "\(labels.count) labels and \(tokens.count) tokens, \(Set(tokens).count) different"
            throw Self.malformed(
                asked: self.asked, field: "clobTokenIds", expected: "one token for each of one or two outcomes",
                found: found)
        }
        guard tokens.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            throw self.malformed("clobTokenIds", "a list of decimal token ids")
        }
        return zip(labels, tokens).map { Outcome(label: $0, asset: AssetID($1)) }
    }

    /// Which outcome is YES: by its label (`Up`, `Yes`; the one beside `Down`, `No`), never by its place.
    ///
    /// Labels that say neither, such as the names of two teams, leave the order: the first listed is YES.
    private func indexOfYes(_ outcomes: [Outcome]) throws(RESTError) -> Int {
        let sides = outcomes.map { Self.side(ofLabel: $0.label) }
        guard outcomes.count == 2, sides[0] == nil || sides[0] != sides[1] else {
            guard outcomes.count == 1 else { throw self.malformed("outcomes", "labels of opposite sides") }
            return 0
        }
        return sides[0] == .no || sides[1] == .yes ? 1 : 0
    }

    private static func side(ofLabel label: String) -> Side? {
        switch label.lowercased().filter({ !$0.isWhitespace }) {
        case "up", "yes": .yes
        case "down", "no": .no
        default: nil
        }
    }

    /// How a closed market ended: one price is 1, or all are one half; anything else is not final.
    private func settlement(yes: Int) -> MarketSettlement {
        guard let texts = self.texts("outcomePrices"), texts.count == 2 else { return .closed }
        let prices = texts.map { Price($0) }
        if prices[yes] == .one, prices[1 - yes] == .zero { return .won(.yes) }
        if prices[1 - yes] == .one, prices[yes] == .zero { return .won(.no) }
        return prices.allSatisfy { $0 == Price(rawValue: 5000) } ? .split : .closed
    }

    // MARK: The window

    /// `eventStartTime` to `endDate`; `startDate` is when the market was listed, a day earlier.
    ///
    /// What is not said is taken from a slug that carries its start. Nil when that does not help, or when the times name no
    /// span (a match's start stands in both).
    private func window() throws(RESTError) -> MarketWindow? {
        let fromSlug = MarketSeries.window(ofSlug: self.slug)
        guard let start = try self.time("eventStartTime") ?? fromSlug?.start,
            let end = try self.time("endDate") ?? fromSlug?.end, start < end
        else { return nil }
        return MarketWindow(start: start, end: end)
    }

    private func time(_ field: String) throws(RESTError) -> Timestamp? {
        switch self.fields[field] {
        case nil, .null, .string(""): return nil
        case .string(let text):
            guard let time = Timestamp(iso8601: text) else { break }
            return time
        default: break
        }
        throw self.malformed(field, "a date and time with its zone, such as 2026-04-29T02:00:00Z")
    }

    // MARK: Fees and the rule of settlement

    // A bot can follow a market without these: what cannot be read counts as not said.

    private var fees: MarketFees? {
        let isEnabled = self.optionalFlag(self.fields["feesEnabled"])
        var schedule: MarketFees.Schedule?
        if case .object(let terms) = self.fields["feeSchedule"], let rate = Self.millionths(terms["rate"]) {
            // A schedule without an exponent that can be read is none: taking 1 would be a guess.
            schedule = Self.millionths(terms["exponent"]).map {
                MarketFees.Schedule(
                    rate: rate, exponent: $0, takerOnly: self.optionalFlag(terms["takerOnly"]),
                    rebateRate: Self.millionths(terms["rebateRate"]))
            }
        }
        guard isEnabled != nil || schedule != nil else { return nil }
        return MarketFees(areEnabled: isEnabled ?? true, schedule: schedule)
    }

    /// What `cryptoMarketConfig` says; when it says nothing, what is known of markets of this length and date. Nil when the
    /// market names Binance as its source, whose candles are no price of the reference feed.
    private func referenceSettlement(_ window: MarketWindow?) -> ReferenceSettlement? {
        guard let symbol = ReferenceSettlement.symbol(ofSlug: self.slug), !self.settlesByBinance else { return nil }
        guard case .object(let terms) = self.fields["cryptoMarketConfig"],
            let isMean = self.optionalFlag(terms["twapEnabled"])
        else { return ReferenceSettlement.assumed(slug: self.slug, start: window?.start) }
        guard isMean else { return ReferenceSettlement(symbol: symbol, rule: .spot) }
        if let seconds = Self.millionths(terms["twapLookbackSeconds"]), (1_000_000...3_600_000_000).contains(seconds),
            seconds % 1_000_000 == 0
        {
            return ReferenceSettlement(symbol: symbol, rule: .twap(lookbackSeconds: Int(seconds / 1_000_000)))
        }
        // A mean over a time that is not said.
        let assumed = ReferenceSettlement.assumed(slug: self.slug, start: window?.start)
        return assumed?.lookbackSeconds == nil ? nil : assumed
    }

    private var settlesByBinance: Bool {
        ["resolutionSource", "description"].contains { field in
            guard case .string(let text) = self.fields[field] else { return false }
            return text.lowercased().contains("binance")
        }
    }

    private func optionalFlag(_ value: JSONValue?) -> Bool? {
        switch value {
        case .bool(let flag): flag
        case .string("true"): true
        case .string("false"): false
        default: nil
        }
    }

    /// A number that is not negative, or the text of one, in millionths; nil for anything else.
    private static func millionths(_ value: JSONValue?) -> Int64? {
        let number: Double
        switch value {
        case .number(let value): number = value
        case .string(let text):
            guard let value = Double(text) else { return nil }
            number = value
        default: return nil
        }
        // Beyond this, millionths would not be whole any more, and it is no rate, exponent or number of seconds.
        guard number >= 0, number <= 1_000_000 else { return nil }
        return Int64((number * 1_000_000).rounded())
    }

    // MARK: Numbers and flags

    private func tickSize() throws(RESTError) -> Price {
        guard let text = try self.number("orderPriceMinTickSize") else { return 0.01 }
        guard let price = Price(text), price > .zero, price < .one else {
            throw self.malformed("orderPriceMinTickSize", "a price step between 0.0001 and 1")
        }
        return price
    }

    private func minimumOrderSize() throws(RESTError) -> Size {
        guard let text = try self.number("orderMinSize") else { return 5 }
        guard let size = Size(text) else { throw self.malformed("orderMinSize", "a number of shares") }
        return size
    }

    /// A number or the text of one; nil when it is not there.
    private func number(_ field: String) throws(RESTError) -> String? {
        switch self.fields[field] {
        case nil, .null, .string(""): return nil
        case .number(let number): return "\(number)"
        case .string(let text): return text
        default: throw self.malformed(field, "a number")
        }
    }

    private func flag(_ field: String) throws(RESTError) -> Bool? {
        switch self.fields[field] {
        case nil, .null: return nil
        case .bool(let flag): return flag
        case .string("true"): return true
        case .string("false"): return false
        default: throw self.malformed(field, "true or false")
        }
    }

    /// A list of texts, as a list or as JSON inside a string; nil when it is neither. Numbers are refused: a token id would
    /// have lost digits.
    private func texts(_ field: String) -> [String]? {
        let list: [JSONValue]
        switch self.fields[field] {
        case .array(let items): list = items
        case .string(""): list = []
        case .string(let text):
            // A text that is no JSON is reported by the caller, with the field's name and what was found.
            guard case .array(let items)? = try? JSONValue(parsing: text.utf8) else { return nil }
            list = items
        default: return nil
        }
        let texts = list.compactMap { item -> String? in
            guard case .string(let text) = item else { return nil }
            return text
        }
        return texts.count == list.count ? texts : nil
    }
}
