import OddsCore
import Testing

@testable import PolymarketSimulator

@Suite struct UncrossedBookTests {
    /// Started late in a window, the market makers find a book around 0.50 while the odds are far from it: one step takes
    /// everything away that would give money away.
    @Test(arguments: UInt64(1)...4) func noBookIsCrossedWhenTheExchangeStartsAtAnyMomentOfAWindow(seed: UInt64) throws {
        var crossed: [String] = []
        for start in Int64(1_795_364_130)..<1_795_364_220 {
            var configuration = try SimulatorConfiguration.halfMinutes(seed: seed)
            configuration.start = Timestamp(seconds: start)
            var engine = ExchangeEngine(configuration: configuration, start: Timestamp(seconds: start))
            let window = try #require(engine.window(slug: "btc-updown-30s-\(start / 30 * 30)"))
            var emissions: [Emission] = []
            for _ in 0..<10 {
                engine.advance(
                    to: engine.now.advanced(by: .milliseconds(20)), listening: { _ in false }, into: &emissions)
                guard let top = engine.process(of: window)?.book.top(of: .up), let bid = top.bid?.price,
                    let ask = top.ask?.price, bid >= ask
                else { continue }
                crossed.append("\(window.slug) from \(start): \(bid)/\(ask)")
            }
        }
        #expect(crossed.isEmpty)
    }
}
