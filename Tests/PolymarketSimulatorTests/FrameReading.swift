import Foundation
import OddsCore

@testable import PolymarketSimulator

/// A frame as tests look at it.
struct ReadFrame: Decodable, Sendable {
    struct Level: Decodable, Sendable, Hashable {
        var price: String
        var size: String
    }

    struct Change: Decodable, Sendable, Hashable {
        var asset_id: String
        var price: String
        var size: String
        var side: String
        var hash: String
        var best_bid: String
        var best_ask: String
    }

    var event_type: String
    var market: String
    var timestamp: String
    var asset_id: String?
    var hash: String?
    var bids: [Level]?
    var asks: [Level]?
    var tick_size: String?
    var last_trade_price: String?
    var price_changes: [Change]?
    var price: String?
    var size: String?
    var side: String?
    var slug: String?
    var winning_asset_id: String?
    var new_tick_size: String?
    var best_bid: String?
    var best_ask: String?

    /// The events in a frame: an object or an array of them.
    static func read(_ bytes: some Sequence<UInt8>) throws -> [ReadFrame] {
        let data = Data(bytes)
        let decoder = JSONDecoder()
        return data.first == 0x5B
            ? try decoder.decode([ReadFrame].self, from: data) : [try decoder.decode(ReadFrame.self, from: data)]
    }
}

/// One token's book, rebuilt from frames the way a simple client does it.
struct RebuiltBook: Sendable {
    var bids: [Price: Size] = [:]
    var asks: [Price: Size] = [:]
    var tickSize: Price = 0.01
    var lastTrade: Price?

    var bid: Price? { self.bids.keys.max() }
    var ask: Price? { self.asks.keys.min() }

    init(_ frame: ReadFrame) throws {
        self.bids = try Self.levels(frame.bids)
        self.asks = try Self.levels(frame.asks)
        self.tickSize = frame.tick_size.flatMap { Price($0) } ?? 0.01
        self.lastTrade = frame.last_trade_price.flatMap { Price($0) }
    }

    struct Unreadable: Error {
        var text: String
    }

    private static func levels(_ levels: [ReadFrame.Level]?) throws -> [Price: Size] {
        try (levels ?? []).reduce(into: [:]) { result, level in
            guard let price = Price(level.price), let size = Size(level.size) else {
                throw Unreadable(text: "\(level)")
            }
            result[price] = size
        }
    }

    mutating func apply(_ change: ReadFrame.Change) throws {
        guard let price = Price(change.price), let size = Size(change.size) else {
            throw Unreadable(text: "\(change)")
        }
        let total = size == .zero ? nil : size
        if change.side == "BUY" { self.bids[price] = total } else { self.asks[price] = total }
    }

    func hash(market: String, asset: String, timestamp: String) -> String {
        var hasher = BookHasher(market: MarketID(market), asset: AssetID(asset))
        return hasher.hash(
            timestamp: Timestamp(milliseconds: Int64(timestamp) ?? 0),
            bids: self.bids.sorted { $0.key < $1.key }.map { (price: $0.key, size: $0.value) },
            asks: self.asks.sorted { $0.key > $1.key }.map { (price: $0.key, size: $0.value) },
            tickSize: self.tickSize, lastTradePrice: self.lastTrade
        ).description
    }
}

extension SimulatorConfiguration {
    /// Half-minute windows of Bitcoin, on the grid.
    static func halfMinutes(seed: UInt64 = 7) throws -> SimulatorConfiguration {
        var configuration = SimulatorConfiguration()
        configuration.seed = seed
        configuration.series = [try MarketSeries("btc-updown-30s")]
        configuration.start = Timestamp(seconds: 1_800_000_000)
        return configuration
    }
}

extension ExchangeEngine {
    init(_ configuration: SimulatorConfiguration) {
        self.init(configuration: configuration, start: configuration.start ?? Timestamp(seconds: 1_800_000_000))
    }

    /// Lets time pass and gives everything that was sent to anybody.
    mutating func emissions(after seconds: Double) -> [Emission] {
        var emissions: [Emission] = []
        self.advance(
            to: self.now.advanced(by: .milliseconds(Int64(seconds * 1000))), listening: { _ in true }, into: &emissions)
        return emissions
    }
}
