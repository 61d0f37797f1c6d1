package import OddsCore

extension MarketFinding {
    /// The markets in a text that Gamma gave: a market, a list of them, an event with its `markets`, or an object that has
    /// one of these under `raw`. What is no market is passed over.
    ///
    /// - Throws: `RESTError` when the text is no JSON, or when a market in it lacks what every market has.
    package static func reading(json bytes: some Sequence<UInt8>) throws(RESTError) -> [MarketFinding] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw RESTError(.malformed, "this is no JSON (\(error))")
        }
        var findings: [MarketFinding] = []
        for fields in Self.markets(in: value) {
            findings.append(try GammaMarket(asked: "in a file", fields: fields).finding())
        }
        return findings
    }

    private static func markets(in value: JSONValue) -> [[String: JSONValue]] {
        switch value {
        case .array(let items): items.flatMap { Self.markets(in: $0) }
        case .object(let fields) where fields["conditionId"] != nil: [fields]
        case .object(let fields): ["raw", "markets"].compactMap { fields[$0] }.flatMap { Self.markets(in: $0) }
        default: []
        }
    }
}
