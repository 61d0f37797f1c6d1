import Testing

@testable import OddsStore

@Suite struct NearNamesTests {
    private static let names = ["btc-updown-15m-1777428000", "btc-updown-15m-1777427100", "eth-updown-1h-1777428000"]

    @Test func theNearestComesFirst() {
        #expect(NearNames.nearest(to: "btc-updown-15m-1777427101", among: Self.names, limit: 1) == [Self.names[1]])
        #expect(NearNames.nearest(to: "BTC-updown-15m", among: Self.names, limit: 5) == [Self.names[0], Self.names[1]])
        #expect(NearNames.nearest(to: "1777428000", among: Self.names, limit: 5) == [Self.names[0], Self.names[2]])
    }

    @Test func whatSharesNothingIsLeftOut() {
        #expect(NearNames.nearest(to: "zz", among: Self.names, limit: 5).isEmpty)
        #expect(NearNames.nearest(to: "eth", among: [], limit: 5).isEmpty)
    }
}
