package import OddsCore

/// Polymarket's CLOB REST API, as far as reading books needs it.
package struct ClobClient: Sendable {
    private let base: String
    private let transport: any RESTTransport
    private let timeout: Duration

    /// A client of the API at `base`.
    ///
    /// - Parameters:
    ///   - base: `http://` or `https://`, with or without a path; a final slash is ignored.
    ///   - transport: what moves requests and answers.
    ///   - timeout: how long one request may take.
    package init(base: String, transport: any RESTTransport, timeout: Duration = .seconds(5)) {
        self.base = base.withoutFinalSlash
        self.transport = transport
        self.timeout = timeout
    }

    /// The whole book of a token.
    ///
    /// The answer is about that token, names its market, is not crossed and names no level twice, or this throws
    /// `malformed` with the field. Throws `notFound` when the venue has no book for the token: normal for a market that is
    /// closed, or not yet open.
    package func book(of asset: AssetID) async throws(RESTError) -> RESTBook {
        let url = self.base + Self.path(ofBook: asset)
        return try Self.book(of: asset, in: try await self.transport.get(url, timeout: self.timeout), url: url)
    }

    /// Path and query of a token's book.
    package static func path(ofBook asset: AssetID) -> String { "/book?token_id=\(asset.rawValue.urlEscaped)" }

    /// The book in an answer to the question for it.
    package static func book(
        of asset: AssetID, in response: RESTResponse, url: String
    ) throws(RESTError) -> RESTBook {
        let value = try response.json(url: url)
        guard case .object(let fields) = value else {
            throw ClobBook.malformed(asset, field: "the answer", expected: "an object", found: value.summary)
        }
        return try ClobBook(asset: asset, fields: fields).book()
    }

    /// The venue's clock, to the second.
    package func time() async throws(RESTError) -> Timestamp {
        let value = try await self.transport.json("\(self.base)/time", timeout: self.timeout)
        let seconds: Int64? =
            switch value {
            case .number(let number): Int64(exactly: number.rounded(.down))
            case .string(let text): Int64(text)
            default: nil
            }
        // Ten decimal digits reach from 2001 to 2286; milliseconds would have thirteen.
        guard let seconds, (1_000_000_000...9_999_999_999).contains(seconds) else {
            throw RESTError(.malformed, "\(self.base)/time should be Unix seconds, found \(value.summary)")
        }
        return Timestamp(seconds: seconds)
    }
}

/// One book as the CLOB describes it: what it must say, and what it may leave out.
private struct ClobBook {
    /// The token that was asked for; errors name it.
    let asset: AssetID
    let fields: [String: JSONValue]

    static func malformed(_ asset: AssetID, field: String, expected: String, found: String) -> RESTError {
        RESTError(.malformed, "the CLOB's book of \(asset): \(field) should be \(expected), found \(found)")
    }

    private func malformed(_ field: String, _ expected: String, found: String? = nil) -> RESTError {
        Self.malformed(
            self.asset, field: field, expected: expected,
            found: found ?? self.fields[field]?.summary ?? "nothing")
    }

    /// Everything, checked.
    func book() throws(RESTError) -> RESTBook {
        guard case .string(self.asset.rawValue) = self.fields["asset_id"] else {
            throw self.malformed("asset_id", "the token that was asked for")
        }
        guard case .string(let market) = self.fields["market"], !market.isEmpty else {
            throw self.malformed("market", "a condition id")
        }
        let book = RESTBook(
            market: MarketID(market), asset: self.asset, timestamp: try self.timestamp(), hash: self.hash,
            bids: try self.levels("bids"), asks: try self.levels("asks"), tickSize: try self.tickSize(),
            minimumOrderSize: try self.minimumOrderSize(), negativeRisk: try self.negativeRisk(),
            lastTradePrice: try self.lastTradePrice())
        if let bid = book.bestBid, let ask = book.bestAsk, bid.price >= ask.price {
            throw self.malformed("bids", "below every ask", found: "a bid of \(bid.price) and an ask of \(ask.price)")
        }
        return book
    }

    private func timestamp() throws(RESTError) -> Timestamp {
        guard let text = self.decimal("timestamp"), let milliseconds = Int64(text), milliseconds > 0 else {
            throw self.malformed("timestamp", "Unix milliseconds")
        }
        return Timestamp(milliseconds: milliseconds)
    }

    /// Recordings of other eras leave it empty: a hash that cannot be read is none.
    private var hash: BookHash? {
        guard case .string(let text) = self.fields["hash"] else { return nil }
        return BookHash(hex: text)
    }

    private func levels(_ field: String) throws(RESTError) -> [Level] {
        guard case .array(let items) = self.fields[field] else { throw self.malformed(field, "a list of levels") }
        var levels: [Level] = []
        levels.reserveCapacity(items.count)
        var prices: Set<Price> = []
        for (index, item) in items.enumerated() {
            guard case .object(let level) = item, case .string(let priceText) = level["price"],
                case .string(let sizeText) = level["size"], let price = Price(priceText), let size = Size(sizeText)
            else {
                throw self.malformed(
                    "\(field)[\(index)]", "a price and a size as decimal texts", found: Self.summary(ofLevel: item))
            }
            guard prices.insert(price).inserted else {
                throw self.malformed("\(field)[\(index)]", "a price of its own", found: "\(price) again")
            }
            levels.append(Level(price: price, size: size))
        }
        return levels
    }

    private static func summary(ofLevel item: JSONValue) -> String {
        guard case .object(let level) = item else { return item.summary }
        return "price \(level["price"]?.summary ?? "nothing"), size \(level["size"]?.summary ?? "nothing")"
    }

    private func tickSize() throws(RESTError) -> Price? {
        guard let text = self.decimal("tick_size") else { return try self.absent("tick_size", "a price step") }
        guard let price = Price(text), price > .zero, price < .one else {
            throw self.malformed("tick_size", "a price step between 0.0001 and 1")
        }
        return price
    }

    private func minimumOrderSize() throws(RESTError) -> Size? {
        guard let text = self.decimal("min_order_size") else {
            return try self.absent("min_order_size", "a number of shares")
        }
        guard let size = Size(text) else { throw self.malformed("min_order_size", "a number of shares") }
        return size
    }

    private func negativeRisk() throws(RESTError) -> Bool? {
        switch self.fields["neg_risk"] {
        case .bool(let flag): return flag
        default: return try self.absent("neg_risk", "true or false")
        }
    }

    private func lastTradePrice() throws(RESTError) -> Price? {
        guard let text = self.decimal("last_trade_price") else {
            return try self.absent("last_trade_price", "a price")
        }
        guard let price = Price(text) else { throw self.malformed("last_trade_price", "a price between 0 and 1") }
        return price
    }

    /// The text of a decimal; nil when there is none, or an empty one. Numbers are taken as well, in their shortest spelling.
    private func decimal(_ field: String) -> String? {
        switch self.fields[field] {
        case .string(let text): return text.isEmpty ? nil : text
        case .number(let number): return Int64(exactly: number).map { "\($0)" } ?? "\(number)"
        default: return nil
        }
    }

    /// Nil for a field that is not there, or empty; anything else should have been of its type.
    private func absent<Value>(_ field: String, _ expected: String) throws(RESTError) -> Value? {
        switch self.fields[field] {
        case nil, .null, .string(""): return nil
        default: throw self.malformed(field, expected)
        }
    }
}
