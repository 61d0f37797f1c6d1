import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import OddsCore
import OddsTestSupport

@testable import PolymarketSimulator

/// A running simulator on a clock that the test moves.
struct SimulatorHarness: Sendable {
    let clock: ManualClock
    let simulator: PolymarketSimulator
    let endpoints: SimulatorEndpoints

    /// Runs a simulator of half-minute windows for the length of a test.
    static func with(
        _ change: (inout SimulatorConfiguration) -> Void = { _ in },
        _ body: (SimulatorHarness) async throws -> Void
    ) async throws {
        var configuration = try SimulatorConfiguration.halfMinutes()
        change(&configuration)
        let clock = ManualClock(wall: Timestamp(seconds: 1_800_000_000))
        let simulator = PolymarketSimulator(
            configuration: configuration, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await simulator.start()
        guard let endpoints = simulator.endpoints else { throw Failure(text: "the simulator does not run") }
        do {
            try await body(SimulatorHarness(clock: clock, simulator: simulator, endpoints: endpoints))
            await simulator.stop()
        } catch {
            await simulator.stop()
            throw error
        }
    }

    struct Failure: Error {
        var text: String
    }

    /// Lets time pass and what is due be written.
    func pass(_ duration: Duration) async throws {
        self.clock.advance(by: duration)
        try await self.simulator.catchUp()
    }

    /// The running market.
    func market(start: Int64 = 1_800_000_000) throws -> Market {
        guard let market = self.simulator.market(slug: "btc-updown-30s-\(start)") else {
            throw Failure(text: "no market at \(start)")
        }
        return market
    }

    /// A connection that has been let in.
    func connect() async throws -> TestSocket {
        let socket = try await TestSocket.connect(to: self.endpoints.marketWebSocket)
        try await socket.journal.wait(for: .status(101))
        return socket
    }

    /// A connection subscribed to a market, with its first books.
    func subscribe(to market: Market, custom: Bool = false) async throws -> TestSocket {
        let socket = try await self.connect()
        let assets = market.assets.map { "\"\($0)\"" }.joined(separator: ",")
        socket.send(#"{"type":"market","assets_ids":[\#(assets)],"custom_feature_enabled":\#(custom)}"#)
        _ = try await socket.text { $0.hasPrefix("[") }
        return socket
    }

    /// A REST answer.
    func get(_ url: String) async throws -> (status: Int, body: String) {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(20))
        let body = try await response.body.collect(upTo: 16 << 20)
        return (Int(response.status.code), String(buffer: body))
    }

    func post(_ url: String, _ body: String) async throws -> (status: Int, body: String) {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let answer = try await response.body.collect(upTo: 16 << 20)
        return (Int(response.status.code), String(buffer: answer))
    }

    /// A JSON object of a REST answer.
    func object(_ url: String) async throws -> [String: Any] {
        let (status, body) = try await self.get(url)
        guard status == 200, let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        else {
            throw Failure(text: "\(status) \(body)")
        }
        return object
    }

    /// A JSON array of objects of a REST answer.
    func list(_ url: String) async throws -> [[String: Any]] {
        let (status, body) = try await self.get(url)
        guard status == 200, let list = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [[String: Any]]
        else {
            throw Failure(text: "\(status) \(body)")
        }
        return list
    }
}
