internal import OddsCore

/// The prices of the live data socket, and how the venue spells them.
struct PriceFrames: Sendable {
    /// How many seconds a history goes back.
    static let history: Int64 = 60

    let paths: [String: PricePath]

    /// The feeds of a topic that there are.
    func feeds(of topic: ReferenceTopic) -> [ReferenceFeed] {
        self.paths.keys.sorted().map { asset in
            let symbol = asset + "/usd"
            return ReferenceFeed(topic, topic == .binance ? ReferenceFeed.binanceSymbol(of: symbol) : symbol)
        }
    }

    private func path(of feed: ReferenceFeed) -> PricePath? {
        if feed.topic != .binance {
            return feed.symbol.hasSuffix("/usd") ? self.paths[String(feed.symbol.dropLast(4))] : nil
        }
        return feed.symbol.hasSuffix("usdt") ? self.paths[String(feed.symbol.dropLast(4))] : nil
    }

    /// The price of a second; nil when there is no such feed.
    func price(_ feed: ReferenceFeed, second: Int64) -> ReferencePrice? {
        guard let path = self.path(of: feed) else { return nil }
        let time = Timestamp(seconds: second)
        switch feed.topic {
        case .chainlink: return path.reference(at: time)
        case .twapThirty, .twapSixty: return path.mean(at: time, over: feed.topic.lookbackSeconds ?? 1)
        case .binance:
            // A little ahead of Chainlink, and a little off, as another exchange is.
            let price = path.reference(at: time.advanced(by: .milliseconds(400))).rawValue
            let unit = ReferencePrice.dollar / 10_000
            return ReferencePrice(rawValue: (price + price / 5_000) / unit * unit)
        }
    }

    /// One new price.
    func update(_ feed: ReferenceFeed, second: Int64, sent: Timestamp, connection: Int) -> [UInt8]? {
        guard let price = self.price(feed, second: second) else { return nil }
        let exact = feed.topic == .binance ? price.description : String(price.rawValue)
        var text = Text(reserving: 320)
        text.add(#"{"connection_id":"\#(Self.connectionID(connection))","payload":{"full_accuracy_value":"\#(exact)""#)
        text.add(#","symbol":"\#(feed.symbol)","timestamp":\#(second)000,"value":\#(Self.number(price))"#)
        if let seconds = feed.topic.lookbackSeconds { text.add(#","window_s":\#(seconds)"#) }
        text.add(#"},"timestamp":\#(sent.milliseconds),"topic":"\#(feed.topic.wireName)","type":"update"}"#)
        return text.bytes
    }

    /// The prices of these seconds, under the one topic that the venue names in all histories.
    func history(_ feed: ReferenceFeed, seconds: some Sequence<Int64>, sent: Timestamp) -> [UInt8]? {
        guard self.path(of: feed) != nil else { return nil }
        let data = seconds.compactMap { second in
            self.price(feed, second: second).map { #"{"timestamp":\#(second)000,"value":\#(Self.number($0))}"# }
        }
        var text = Text(reserving: 4096)
        text.add(#"{"payload":{"data":[\#(data.joined(separator: ","))],"symbol":"\#(feed.symbol)""#)
        if let seconds = feed.topic.lookbackSeconds { text.add(#","window_s":\#(seconds)"#) }
        text.add(#"},"timestamp":\#(sent.milliseconds),"topic":"crypto_prices","type":"subscribe"}"#)
        return text.bytes
    }

    /// As JSON numbers are: what a `Double` holds, and whole numbers without a point.
    private static func number(_ price: ReferencePrice) -> String {
        let text = "\(price.doubleValue)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func connectionID(_ id: Int) -> String {
        String(Deterministic.mix(UInt64(truncatingIfNeeded: id)), radix: 36)
    }
}
