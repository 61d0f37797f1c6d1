import OddsCore
import OddsTestSupport
import Synchronization

/// A bot with fixed records and a kill switch that can be turned.
final class FakeBot: BotSource {
    private let isKilled = Mutex(false)
    private let spikeRecords: [SpikeRecord]
    private let tradeRecords: [TradeRecord]
    private let refusalRecords: [RefusalRecord]
    private let hasAccount: Bool
    private let hasKillFile: Bool
    /// Who turned the switch, in order.
    let turns = Journal<String>()

    init(
        spikes: [SpikeRecord] = [], trades: [TradeRecord] = [], refusals: [RefusalRecord] = [], hasAccount: Bool = true,
        hasKillFile: Bool = false
    ) {
        self.spikeRecords = spikes
        self.tradeRecords = trades
        self.refusalRecords = refusals
        self.hasAccount = hasAccount
        self.hasKillFile = hasKillFile
    }

    func spikes() -> [SpikeRecord] { self.spikeRecords }
    func trades() -> [TradeRecord] { self.tradeRecords }
    func refusals() -> [RefusalRecord] { self.refusalRecords }

    func account() -> AccountRecord? {
        guard self.hasAccount else { return nil }
        let isOn = self.isKilled.withLock(\.self) || self.hasKillFile
        return AccountRecord(
            broker: "paper", startingCash: 1000, cash: 990, equity: 1000, profit: 0, fees: 0.25, maximumDrawdown: 2,
            filledOrders: 1, failedOrders: 0, openPositions: 1, settledPositions: 0, hits: 0, hitRate: nil,
            exposure: 10, isKilled: isOn, killedBy: self.hasKillFile ? "file" : isOn ? "http" : nil)
    }

    func setKillSwitch(_ isOn: Bool, by origin: String) async -> AccountRecord? {
        self.turns.append("\(isOn) \(origin)")
        self.isKilled.withLock { $0 = isOn }
        return self.account()
    }
}

/// A history that keeps what it is asked and answers with one record.
final class FakeHistory: HistoryReader {
    let queries = Journal<HistoryQuery>()
    private let error: HistoryError?

    init(error: HistoryError? = nil) { self.error = error }

    func history(_ query: HistoryQuery) async throws(HistoryError) -> HistoryPage<HistoryRecord> {
        self.queries.append(query)
        if let error { throw error }
        return HistoryPage(items: [.spike(.sample("a"))], next: "more")
    }

    func market(named name: String) async throws(HistoryError) -> MarketRecord? {
        guard name == "old-market" else { return nil }
        return MarketRecord(
            FakeOdds.market("old-market", id: "0xd1", series: nil, start: nil), seen: Timestamp(seconds: 1))
    }

    func slugs(near name: String, limit: Int) async throws(HistoryError) -> [String] {
        name == "old-markt" ? ["old-market"] : []
    }
}
