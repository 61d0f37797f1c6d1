import OddsCore
import OddsTestSupport
import Testing

@testable import RealtimeOdds

/// What Gamma says of fees and of the rule a market is decided by.
@Suite struct GammaTermsTests {
    private func market(
        _ changes: [String: String?], slug: String = "btc-updown-15m-1777428000"
    ) async throws -> Market {
        let text = gammaMarket(slug, changes)
        return try await GammaClient(base: "http://gamma", transport: ScriptedTransport { _ in .json(text) })
            .market(slug: slug).market
    }

    // MARK: Fees

    @Test(arguments: [
        ("true", #"{"rate":0.07,"exponent":1,"takerOnly":true,"rebateRate":0.2}"#),
        (#""true""#, #"{"rate":"0.07","exponent":"1","takerOnly":"true","rebateRate":"0.2"}"#),
    ])
    func feesAreRead(enabled: String, schedule: String) async throws {
        let fees = try await self.market(["feesEnabled": enabled, "feeSchedule": schedule]).fees
        let terms = MarketFees.Schedule(rate: 70_000, exponent: 1_000_000, takerOnly: true, rebateRate: 200_000)
        #expect(fees == MarketFees(areEnabled: true, schedule: terms))
        #expect(fees?.schedule?.wholeExponent == 1)
    }

    @Test func aFractionOfAnExponentIsKept() async throws {
        let fees = try await self.market(["feeSchedule": #"{"rate":0.25,"exponent":1.5}"#]).fees
        #expect(fees == MarketFees(areEnabled: true, schedule: .init(rate: 250_000, exponent: 1_500_000)))
        #expect(fees?.schedule?.wholeExponent == nil)
    }

    @Test(
        arguments: [
            (nil, nil, nil), ("null", "null", nil), ("[]", "7", nil), (#""perhaps""#, #""none""#, nil),
            ("false", nil, MarketFees(areEnabled: false)), ("true", "[]", MarketFees(areEnabled: true)),
            ("true", "{}", MarketFees(areEnabled: true)),
            ("true", #"{"rate":"much","exponent":1}"#, MarketFees(areEnabled: true)),
            ("true", #"{"rate":-0.1,"exponent":1}"#, MarketFees(areEnabled: true)),
            ("true", #"{"rate":0.07}"#, MarketFees(areEnabled: true)),
            ("true", #"{"rate":0.07,"exponent":1e300}"#, MarketFees(areEnabled: true)),
        ] as [(String?, String?, MarketFees?)])
    func feesThatCannotBeReadAreNotSaid(enabled: String?, schedule: String?, fees: MarketFees?) async throws {
        let market = try await self.market(["feesEnabled": enabled, "feeSchedule": schedule])
        #expect(market.fees == fees)
    }

    // MARK: The rule

    private static let spot = ReferenceSettlement(symbol: "btc/usd", rule: .spot)

    @Test(
        arguments: [
            (#"{"twapEnabled":true,"twapLookbackSeconds":60}"#, .twap(lookbackSeconds: 60)),
            (#"{"twapEnabled":"true","twapLookbackSeconds":"45"}"#, .twap(lookbackSeconds: 45)),
            (#"{"twapEnabled":false,"twapLookbackSeconds":0}"#, .spot), (#"{"twapEnabled":false}"#, .spot),
        ] as [(String, ReferenceSettlement.Rule)])
    func theRuleIsRead(config: String, rule: ReferenceSettlement.Rule) async throws {
        let market = try await self.market(["cryptoMarketConfig": config])
        #expect(market.settlement == ReferenceSettlement(symbol: "btc/usd", rule: rule))
        let placed = market.placed(in: "btc-updown-15m", window: try #require(market.window))
        #expect(placed.settlement == market.settlement && placed.fees == market.fees)
    }

    @Test(arguments: [
        // Before 2026-08-07 all went by the price of the second; since then by means whose length is known for two series.
        ("btc-updown-15m-1777428000", "null", ReferenceSettlement.Rule.spot),
        ("btc-updown-15m-1777428000", #""oops""#, .spot), ("btc-updown-15m-1777428000", #"{"twapEnabled":7}"#, .spot),
        ("btc-updown-15m-1786060800", "null", .twap(lookbackSeconds: 60)),
        ("btc-updown-15m-1786059900", "null", .spot),
        ("btc-updown-15m-1786060800", #"{"twapEnabled":true}"#, .twap(lookbackSeconds: 60)),
        ("btc-updown-15m-1786060800", #"{"twapEnabled":true,"twapLookbackSeconds":0}"#, .twap(lookbackSeconds: 60)),
        ("btc-updown-5m-1786060800", "null", .twap(lookbackSeconds: 30)),
        ("btc-updown-30m-1786059000", "null", .spot),
    ])
    func aRuleThatIsNotSaidIsAssumed(slug: String, config: String, rule: ReferenceSettlement.Rule) async throws {
        let market = try await self.market(["cryptoMarketConfig": config], slug: slug)
        #expect(market.settlement == ReferenceSettlement(symbol: "btc/usd", rule: rule, isAssumed: true))
    }

    @Test(
        arguments: [
            ("btc-updown-30m-1786060800", [:]), ("btc-updown-1h-1777428000", [:]), ("btc-updown-4h-1777420800", [:]),
            ("bitcoin-up-or-down-march-23-2026-4pm-et", [:]), ("rangers-islanders", [:]),
            ("rangers-islanders", ["cryptoMarketConfig": #"{"twapEnabled":true,"twapLookbackSeconds":60}"#]),
            ("btc-updown-15m-1777428000", ["cryptoMarketConfig": #"{"twapEnabled":true}"#]),
            ("btc-updown-15m-1777428000", ["resolutionSource": #""https://www.binance.com/en/trade/BTC_USDT""#]),
            (
                "bitcoin-up-or-down-march-23-2026-4pm-et",
                [
                    "cryptoMarketConfig": #"{"twapEnabled":false}"#,
                    "description": #""…the Binance 1 minute candle for BTC/USDT…""#,
                ]
            ),
        ] as [(String, [String: String?])])
    func whatIsNotEstablishedIsNotSaid(slug: String, changes: [String: String?]) async throws {
        #expect(try await self.market(changes, slug: slug).settlement == nil)
    }

    @Test(arguments: [
        ("eth-updown-5m-1777428000", "eth/usd"), ("xrp-updown-15m-1777428000", "xrp/usd"),
        ("bitcoin-up-or-down-march-23-2026-4pm-et", "btc/usd"), ("Solana-Up-Or-Down-may-1-9am-et", "sol/usd"),
        ("pumpkins-up-or-down-may-1-9am-et", nil), ("-updown-15m-1", nil), ("a b-updown-15m-1", nil), ("updown", nil),
    ])
    func theSymbolFollowsFromTheSlug(slug: String, symbol: String?) {
        #expect(ReferenceSettlement.symbol(ofSlug: slug) == symbol)
    }
}
