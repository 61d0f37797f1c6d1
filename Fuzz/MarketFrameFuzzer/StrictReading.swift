import OddsCore

/// What a frame says by the letter of JSON and of the protocol reference; nil where they leave room for doubt.
enum StrictReading {
    /// The digest of a frame's events; nil when one of them is no proper one.
    static func digest(of frame: StrictJSON) -> FrameDigest? {
        var digest = FrameDigest()
        for event in self.events(of: frame) ?? [] { guard self.add(event, to: &digest) else { return nil } }
        return digest
    }

    /// The objects of a frame; nil when it holds something else.
    static func events(of frame: StrictJSON) -> [StrictJSON]? {
        switch frame {
        case .object: return [frame]
        case .array(let values):
            let areObjects = values.allSatisfy { if case .object = $0 { true } else { false } }
            return areObjects ? values : nil
        case .scalar: return nil
        }
    }

    /// The kind of an event by its type.
    static func kind(of event: StrictJSON) -> EventKind {
        switch event["event_type"]?.text.map({ String(decoding: $0, as: UTF8.self) }) {
        case "book": .book
        case "price_change": .priceChange
        case "last_trade_price": .trade
        case "tick_size_change": .tickSizeChange
        case "best_bid_ask": .bestBidAsk
        case "new_market": .newMarket
        case "market_resolved": .marketResolved
        default: .unknown
        }
    }

    private static func add(_ event: StrictJSON, to digest: inout FrameDigest) -> Bool {
        let kind = self.kind(of: event)
        digest.begin(kind)
        switch kind {
        case .newMarket, .marketResolved, .plainText: return true
        case .unknown:
            let type = event["event_type"]?.text
            digest.add(type)
            digest.add(event["error"]?.text)
            return true
        case .book: return self.addBook(event, to: &digest)
        case .priceChange: return self.addPriceChange(event, to: &digest)
        case .trade:
            guard let asset = event["asset_id"]?.text, let price = self.price(event["price"]),
                let time = self.decimal(event["timestamp"], digits: 0)
            else { return false }
            digest.add(event["market"]?.text)
            digest.add(asset)
            digest.add(Optional(price))
            digest.add(self.decimal(event["size"], digits: 6))
            digest.add(Optional(time))
            digest.add(event["transaction_hash"]?.text)
            return true
        case .tickSizeChange:
            guard let asset = event["asset_id"]?.text, let new = self.price(event["new_tick_size"]),
                let time = self.decimal(event["timestamp"], digits: 0)
            else { return false }
            digest.add(event["market"]?.text)
            digest.add(asset)
            digest.add(self.price(event["old_tick_size"]))
            digest.add(Optional(new))
            digest.add(Optional(time))
            return true
        case .bestBidAsk:
            guard let asset = event["asset_id"]?.text, let bid = self.price(event["best_bid"]),
                let ask = self.price(event["best_ask"]), let time = self.decimal(event["timestamp"], digits: 0)
            else { return false }
            digest.add(event["market"]?.text)
            digest.add(asset)
            digest.add(Optional(bid))
            digest.add(Optional(ask))
            digest.add(Optional(time))
            return true
        }
    }

    private static func addBook(_ event: StrictJSON, to digest: inout FrameDigest) -> Bool {
        guard let asset = event["asset_id"]?.text, let time = self.decimal(event["timestamp"], digits: 0),
            event["bids"] == nil || event["buys"] == nil, event["asks"] == nil || event["sells"] == nil,
            case .array(let bids)? = event["bids"] ?? event["buys"],
            case .array(let asks)? = event["asks"] ?? event["sells"]
        else { return false }
        digest.add(event["market"]?.text)
        digest.add(asset)
        digest.add(Optional(time))
        digest.add(event["hash"]?.text)
        digest.add(self.price(event["tick_size"]))
        digest.add(self.price(event["last_trade_price"]))
        for levels in [bids, asks] {
            digest.add(UInt64(levels.count))
            for level in levels {
                var (price, size) = (level["price"], level["size"])
                if case .array(let pair) = level {
                    guard pair.count == 2 else { return false }
                    (price, size) = (pair[0], pair[1])
                }
                guard let price = self.price(price), let size = self.decimal(size, digits: 6) else { return false }
                digest.add(Optional(price))
                digest.add(Optional(size))
            }
        }
        return true
    }

    private static func addPriceChange(_ event: StrictJSON, to digest: inout FrameDigest) -> Bool {
        guard event["price_changes"] == nil || event["changes"] == nil,
            case .array(let entries)? = event["price_changes"] ?? event["changes"],
            let time = self.decimal(event["timestamp"], digits: 0)
        else { return false }
        digest.add(event["market"]?.text)
        digest.add(Optional(time))
        digest.add(UInt64(entries.count))
        for entry in entries {
            let own = entry["asset_id"]?.text
            guard let asset = own ?? event["asset_id"]?.text, let price = self.price(entry["price"]),
                let size = self.decimal(entry["size"], digits: 6), let side = entry["side"]?.text
            else { return false }
            digest.add(asset)
            digest.add(Optional(price))
            digest.add(Optional(size))
            switch String(decoding: side, as: UTF8.self).uppercased() {
            case "BUY": digest.add(UInt64(0))
            case "SELL": digest.add(UInt64(1))
            default: return false
            }
            digest.add(entry["hash"]?.text ?? (own == nil ? event["hash"]?.text : nil))
            digest.add(self.price(entry["best_bid"]))
            digest.add(self.price(entry["best_ask"]))
        }
        return true
    }

    private static func price(_ value: StrictJSON?) -> Int64? {
        self.decimal(value, digits: 4).flatMap { $0 <= 10_000 ? $0 : nil }
    }

    /// A decimal in units of 10^-`digits`; nil for what is not one.
    private static func decimal(_ value: StrictJSON?, digits: Int) -> Int64? {
        guard let text = value?.text else { return nil }
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        var fraction = parts.count > 1 ? parts[1] : []
        guard parts[0].count + fraction.count > 0 else { return nil }
        while fraction.last == 0x30 { fraction.removeLast() }
        guard fraction.count <= digits, (parts[0] + fraction).allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return nil
        }
        let zeros = repeatElement(UInt8(ascii: "0"), count: digits - fraction.count)
        return Int64(String(decoding: [UInt8(ascii: "0")] + parts[0] + fraction + zeros, as: UTF8.self))
    }
}
