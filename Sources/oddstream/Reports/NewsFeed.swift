import OddsCore
import OddsTrading
import Synchronization

/// What the terminal tells beside the updates of the source: a word and a sentence each. Whoever is slow misses the oldest.
final class NewsFeed: Sendable {
    /// The events, for one reader; ends when its task is cancelled.
    let items: AsyncStream<(word: String, text: String)>
    private let continuation: AsyncStream<(word: String, text: String)>.Continuation

    init() {
        (self.items, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    }

    /// Tells one event.
    func post(_ word: String, _ text: String) { self.continuation.yield((word, text)) }

    /// A spike that began or is over.
    func post(_ event: SpikeEvent, _ record: SpikeRecord, _ odds: OddsSnapshot?) {
        let market = record.slug.isEmpty ? record.market.rawValue : record.slug
        let side = odds.map { OddsText.label(record.side, of: $0.market) } ?? (record.side == .yes ? "Yes" : "No")
        let peak = OddsText.percent(record.peak)
        switch event {
        case .grew: return
        case .began: self.post("spike", "\(market): \(side) at \(peak)")
        case .ended(_, let ending):
            let lasted = DurationText.age(.microseconds(Int64((record.duration ?? 0) * 1000)))
            let poller = record.isSeenByPoller ? "" : ", a 60 s poller missed it"
            let why = ending == .fellBack ? "back" : ending == .stale ? "odds went stale" : "market over"
            self.post("spike end", "\(market): \(side) \(why) after \(lasted), peak \(peak)\(poller)")
        }
    }

    /// An order that got further.
    ///
    /// - Parameter market: the order's market, for the names of its sides; nil when it is not followed any more.
    func post(_ trade: TradeRecord, in market: Market?) {
        func label(_ side: Side) -> String {
            market.map { OddsText.label(side, of: $0) } ?? (side == .yes ? "Yes" : "No")
        }
        let name = "\(trade.slug): \(label(trade.side))"
        switch trade.status {
        case .pending: return
        case .rejected, .cancelled: self.post("paper", "\(name) not bought: \(trade.reason ?? "")")
        case .open:
            self.post(
                "paper",
                "\(name) bought, \(trade.filled) at \(OddsText.dollars(trade.averagePrice ?? 0, digits: 3)), fee \(OddsText.dollars(trade.fee, digits: 3))"
            )
        case .settled:
            let profit = trade.profit ?? 0
            let winner =
                switch trade.winner {
                case "yes": "\(label(.yes)) won"
                case "no": "\(label(.no)) won"
                default: "the payout was split"
                }
            self.post(
                "paper",
                "\(name) settled, \(winner): \(profit < 0 ? "" : "+")\(OddsText.dollars(profit))")
        }
    }
}
