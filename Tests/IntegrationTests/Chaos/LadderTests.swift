import ChaosSupport
import OddsCore
import OddsProof
import OddsTestSupport
import PolymarketSimulator
import RealtimeOdds
import Testing

/// The whole feed against the whole exchange in virtual time: what silence leads to.
@Suite(.longWork) struct LadderTests {
    fileprivate static func setting(lines: Int = 1) throws -> VirtualWorld.Setting {
        var setting = VirtualWorld.Setting()
        setting.exchange.series = [try MarketSeries("btc-updown-15m")]
        setting.feed.lines = lines
        return setting
    }

    fileprivate static func follow(_ world: VirtualWorld) throws -> Market {
        let start = MarketSeries.window(of: world)
        let market = try #require(world.exchange.market(slug: "btc-updown-15m-\(start)"))
        world.host.follow(market)
        return market
    }

    @Test func aBusyMarketIsLive() throws {
        let world = VirtualWorld(try Self.setting(), seed: 1)
        let market = try Self.follow(world)
        world.pass(.seconds(20))
        let odds = try #require(world.host.currentOdds(market.id))
        #expect(odds.trust == .live)
        #expect(world.host.disconnects == 0)
        #expect(world.network.openSockets == 1)
    }

    @Test func aFrozenExchangeIsServedFromTheWitnessWithinFiveSeconds() throws {
        let world = VirtualWorld(try Self.setting(), seed: 1)
        let market = try Self.follow(world)
        world.pass(.seconds(20))
        world.exchange.inject(.freeze(for: nil))
        world.pass(.seconds(4))
        let odds = try #require(world.host.currentOdds(market.id))
        #expect(odds.trust == .fallback)
        #expect(odds.source == .poller)
        world.pass(.seconds(60))
        let later = try #require(world.host.currentOdds(market.id))
        #expect(later.trust == .fallback)
        world.exchange.inject(.recover)
        world.pass(.seconds(10))
        let after = try #require(world.host.currentOdds(market.id))
        #expect(after.trust == .live)
    }
}

extension LadderTests {
    @Test func aQuietMarketIsToldToBeVerified() throws {
        var setting = try Self.setting(lines: 2)
        setting.exchange.flow.orders = 0
        setting.exchange.flow.trades = 0
        setting.exchange.flow.quotes = 0
        setting.exchange.flow.massCancels = 0
        setting.exchange.flow.spikes = 0
        let world = VirtualWorld(setting, seed: 1)
        let market = try Self.follow(world)
        world.pass(.seconds(30))
        let verified = world.story.entries.count {
            if case .silence(let told, .verifiedQuiet) = $0.event { told.id == market.id } else { false }
        }
        #expect(verified >= 5, "about every five seconds: trouble that comes later did not begin before")
        #expect(world.host.currentOdds(market.id)?.verifiedTime != nil)
        #expect(!world.story.entries.contains { $0.event.isAlarm })
        world.end()
    }

    @Test(arguments: 1...2) func anOutageIsOverTwoSecondsAfterItsEnd(lines: Int) throws {
        let world = VirtualWorld(try Self.setting(lines: lines), seed: 1)
        let market = try Self.follow(world)
        world.pass(.seconds(20))
        world.exchange.inject(.refuse(.reset, for: .seconds(30)))
        world.exchange.inject(.drop)
        world.pass(.seconds(2))
        #expect(world.host.currentOdds(market.id)?.trust == .fallback)
        world.pass(.seconds(28))
        #expect(world.host.currentOdds(market.id)?.trust == .fallback)
        world.pass(.milliseconds(2200))
        #expect(world.host.currentOdds(market.id)?.trust == .live)
        world.end()
    }

    @Test func aMarketThatOnlyTheWitnessCarriedSaysThatItIsOver() throws {
        var setting = VirtualWorld.Setting()
        let series = try MarketSeries("btc-updown-30s")
        setting.exchange.series = [series]
        setting.feed.lines = 1
        let world = VirtualWorld(setting, seed: 1)
        world.exchange.inject(SimulatorFault(.noSnapshot))
        world.exchange.inject(SimulatorFault(.freeze))
        let window = series.window(containing: world.clock.now().wall)
        let market = try #require(series.slugs(for: window).compactMap { world.exchange.market(slug: $0) }.first)
        world.host.follow(market)
        world.pass(.seconds(10))
        #expect(world.host.currentOdds(market.id)?.trust == .fallback)
        world.pass(.seconds(25))
        #expect(world.host.currentOdds(market.id)?.trust == .resolving)
        world.end()
    }
}

extension MarketSeries {
    /// The start of the window that the virtual world begins in.
    fileprivate static func window(of world: VirtualWorld) -> Int64 {
        world.clock.now().wall.seconds / 900 * 900
    }
}
