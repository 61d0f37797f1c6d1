import Foundation
import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore
import OddsCore
import Testing

@testable import OddsServer

/// The microstructure beside one market's odds.
@Suite(.timeLimit(.minutes(5))) struct MicrostructureTests {
    private func odds(_ path: String, of source: FakeOdds) async throws -> [String: Any] {
        let server = OddsServer(
            configuration: OddsServerConfiguration(), source: source, clock: FrozenClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await server.application().test(.router) { client in
            try await client.execute(uri: path, method: .get) { response in
                try #require(
                    try JSONSerialization.jsonObject(with: Data(String(buffer: response.body).utf8)) as? [String: Any])
            }
        }
    }

    @Test(arguments: ["/v1/odds/0xa1", "/v1/odds/current"]) func oneMarketsOddsCarryIt(path: String) async throws {
        var source = FakeOdds.typical
        let unknown = try await self.odds(path, of: source)
        #expect(unknown["microstructure"] is NSNull && unknown["yes_bid"] as? Double == 0.71)
        let shown = try #require(source.snapshots["0xa1"])
        let books = MicrostructureMeter.Books(
            yes: BookFigures(
                bids: [Level(price: 0.71, size: 100)], asks: [Level(price: 0.73, size: 50)], tickSize: 0.01), no: nil)
        var meter = MicrostructureMeter()
        source.microstructures["0xa1"] = meter.sample(shown, books: books, at: FrozenClock().now())
        let known = try await self.odds(path, of: source)
        let micro = try #require(known["microstructure"] as? [String: Any])
        let yes = try #require(micro["yes"] as? [String: Any])
        #expect(yes["midpoint"] as? Double == 0.72 && yes["bid_depth"] as? Double == 100)
        #expect(micro["no"] is NSNull && micro["volatility"] is NSNull && micro["epoch"] as? Int == 3)
        #expect((micro["flow_60s"] as? [String: Any])?["trades"] as? Int == 0)
        let list = try await self.odds("/v1/odds", of: source)
        #expect((list["items"] as? [[String: Any]])?.first?["microstructure"] == nil)
    }
}
