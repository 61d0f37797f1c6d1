import OddsCore
import OddsTestSupport
import OddsTrading
import Testing

@testable import RealtimeOdds
@testable import oddstream

@Suite struct SpikeDeskTests {
    private static let markets = [Market.sample("btc"), .sample("eth")]

    private func odds(_ yes: Price, _ market: Market, _ now: ReceiveTime, trust: Trust = .live) -> OddsSnapshot {
        let bid = Price(rawValue: yes.rawValue - 100)
        let ask = Price(rawValue: yes.rawValue + 100)
        return OddsSnapshot(
            market: market, yes: Quote(bid: bid, bidSize: 100, ask: ask, askSize: 100),
            no: Quote(bid: ask.complement, bidSize: 100, ask: bid.complement, askSize: 100), exchangeTime: now.wall,
            receiveTime: now, trust: trust, epoch: 1, source: .line(0), sequence: 1)
    }

    @Test func aSpikeThatLastsIsShownAsOfNow() throws {
        let clock = ManualClock()
        let desk = SpikeDesk(configuration: SpikeDetectorConfiguration(), clock: clock) { _, _, _, _ in }
        desk.published(self.odds(0.8, Self.markets[0], clock.now()), at: clock.now())
        clock.advance(by: .seconds(70))
        let spike = try #require(desk.spikes.first)
        #expect(spike.timeOver == 70_000 && spike.isSeenByPoller && spike.end == nil)
    }

    /// What time decided is told with the spike's own market, also when another market's news makes it known.
    @Test func eachSpikeIsToldWithItsOwnMarketsOdds() async throws {
        let clock = ManualClock()
        let told = Journal<String>()
        let desk = SpikeDesk(configuration: SpikeDetectorConfiguration(sustain: .seconds(5)), clock: clock) {
            _, record, odds, isByOdds in
            told.append("\(record.slug) \(odds?.slug ?? "-") \(isByOdds)")
        }
        desk.published(self.odds(0.8, Self.markets[0], clock.now()), at: clock.now())
        clock.advance(by: .seconds(6))
        desk.published(self.odds(0.5, Self.markets[1], clock.now()), at: clock.now())
        desk.published(self.odds(0.9, Self.markets[0], clock.now()), at: clock.now())
        desk.published(self.odds(0.9, Self.markets[0], clock.now(), trust: .closed), at: clock.now())
        #expect(told.entries == ["btc btc false", "btc btc true", "btc btc true"])
    }

    /// A spike that an earlier run did not see the end of lasts no more: nobody looks at it.
    @Test func aSpikeThatAnEarlierRunLeftOpenIsOver() throws {
        let clock = ManualClock()
        let first = SpikeDesk(configuration: SpikeDetectorConfiguration(), clock: clock) { _, _, _, _ in }
        first.published(self.odds(0.8, Self.markets[0], clock.now()), at: clock.now())
        let desk = SpikeDesk(configuration: SpikeDetectorConfiguration(), clock: clock) { _, _, _, _ in }
        desk.remember(first.spikes)
        #expect(desk.spikes.map(\.ending) == ["interrupted"] && desk.spikes.map(\.number) == [1])
        // A spike of this run is another one.
        desk.published(self.odds(0.8, Self.markets[0], clock.now()), at: clock.now())
        #expect(desk.spikes.map(\.ending) == [nil, "interrupted"] && desk.spikes.map(\.number) == [2, 1])
    }
}
