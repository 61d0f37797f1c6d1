import Foundation
import Logging
import NIOSSL
import OddsCore
import OddsTestSupport
import Testing

@testable import PolymarketSimulator

@Suite(.timeLimit(.minutes(5))) struct MarketChannelTests {
    @Test func aSubscriptionIsAnsweredByOneArrayAndThenTheFlow() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            let socket = try await harness.connect()
            let up = market.yes.asset
            let down = try #require(market.no?.asset)
            socket.send(#"{"type":"market","assets_ids":["\#(down)","123","\#(up)"]}"#)
            let dump = try await socket.text { $0.hasPrefix("[") }
            let books = try ReadFrame.read(dump.utf8)
            #expect(books.map(\.asset_id) == [down.rawValue, up.rawValue])
            #expect(books.allSatisfy { $0.event_type == "book" && $0.market == market.id.rawValue })
            #expect(books.allSatisfy { $0.last_trade_price == "" && $0.tick_size == "0.01" })

            try await harness.pass(.seconds(8))
            try await socket.settle()
            var rebuilt = [down.rawValue: try RebuiltBook(books[0]), up.rawValue: try RebuiltBook(books[1])]
            var types: Set<String> = []
            for text in socket.texts.dropFirst() where text != "PONG" {
                for frame in try ReadFrame.read(text.utf8) {
                    types.insert(frame.event_type)
                    #expect(frame.market == market.id.rawValue)
                    if frame.event_type == "book" { rebuilt[try #require(frame.asset_id)] = try RebuiltBook(frame) }
                    for change in frame.price_changes ?? [] { try rebuilt[change.asset_id]?.apply(change) }
                }
            }
            #expect(types.isSuperset(of: ["price_change", "book", "last_trade_price"]))
            #expect(types.isDisjoint(with: ["best_bid_ask", "new_market", "market_resolved"]))
            let truth = try #require(harness.simulator.truth(market.id))
            #expect(rebuilt[up.rawValue]?.bid == truth.up.bid && rebuilt[up.rawValue]?.ask == truth.up.ask)
            #expect(rebuilt[down.rawValue]?.bid == truth.down.bid && rebuilt[down.rawValue]?.ask == truth.down.ask)
            #expect(rebuilt[up.rawValue]?.bids[truth.up.bid ?? .zero] == truth.up.bidSize)
            #expect(harness.simulator.counters.framesSent == socket.texts.count - 1)
        }
    }

    @Test func framesAreSpelledLikeTheVenues() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            let socket = try await harness.subscribe(to: market, custom: true)
            try await harness.pass(.seconds(33))
            try await socket.settle()
            let number = #""[0-9]+(\.[0-9]*[1-9])?""#
            let hash = #""[0-9a-f]{40}""#
            let asset = #""[0-9]{77,78}""#
            let id = #""0x[0-9a-f]{64}""#
            let level = #"\{"price":\#(number),"size":\#(number)\}"#
            let levels = #"\[(\#(level)(,\#(level))*)?\]"#
            let last = #""([01]\.[0-9]{3})?""#
            let change =
                #"\{"asset_id":\#(asset), "price":\#(number), "size":\#(number), "side":"(BUY|SELL)", "hash":\#(hash), "#
                + #""best_bid":\#(number), "best_ask":\#(number)\}"#
            let shapes = [
                "book":
                    #"\{"market":\#(id),"asset_id":\#(asset),"timestamp":"[0-9]{13}","hash":\#(hash),"bids":\#(levels),"#
                    + #""asks":\#(levels),"tick_size":"0.01|0.001","event_type":"book","last_trade_price":\#(last)\}"#,
                "price_change":
                    #"\{"market":\#(id), "price_changes":\[\#(change), \#(change)\], "timestamp":"[0-9]{13}", "#
                    + #""event_type":"price_change"\}"#,
                "last_trade_price": #"\{"market":\#(id),"asset_id":\#(asset),"price":\#(number),"size":\#(number),"#
                    + #""fee_rate_bps":"0","side":"(BUY|SELL)","timestamp":"[0-9]{13}","event_type":"last_trade_price","#
                    + #""transaction_hash":\#(id)\}"#,
                "best_bid_ask":
                    #"\{"market":\#(id), "asset_id":\#(asset), "best_bid":\#(number), "best_ask":\#(number), "#
                    + #""spread":\#(number), "timestamp":"[0-9]{13}", "event_type":"best_bid_ask"\}"#,
                "new_market":
                    #"\{"id":"[0-9]+", "question":".*", "market":\#(id), "slug":.*"event_type":"new_market".*\}"#,
                "market_resolved":
                    #"\{"id":"[0-9]+", .*"winning_asset_id":\#(asset), "winning_outcome":"(Up|Down)".*\}"#,
            ].mapValues { $0.replacingOccurrences(of: #""0.01|0.001""#, with: #""(0\.01|0\.001)""#) }
            var seen: Set<String> = []
            var counts: [String: Int] = [:]
            for text in socket.texts where text != "PONG" && !text.hasPrefix("[") {
                let type = try #require(try ReadFrame.read(text.utf8).first).event_type
                guard let shape = shapes[type] else {
                    #expect(type == "tick_size_change")
                    continue
                }
                counts[type, default: 0] += 1
                if seen.insert(type).inserted || counts[type, default: 0] <= 100 {
                    #expect(text.range(of: "^\(shape)$", options: .regularExpression) != nil, "\(text)")
                }
            }
            #expect(seen == Set(shapes.keys))
        }
    }

    @Test func bestPricesComeBeforeTheirChanges() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.subscribe(to: try harness.market(), custom: true)
            try await harness.pass(.seconds(5))
            try await socket.settle()
            let frames = try socket.texts.dropFirst().filter { $0 != "PONG" }.flatMap { try ReadFrame.read($0.utf8) }
            let places = frames.indices.filter { frames[$0].event_type == "best_bid_ask" }
            #expect(places.count > 4)
            for place in places {
                let after = frames[place...].first { $0.event_type != "best_bid_ask" }
                #expect(after?.timestamp == frames[place].timestamp)
            }
        }
    }

    @Test func laterOperationsChangeTheSubscription() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            let next = try harness.market(start: 1_800_000_030)
            let socket = try await harness.subscribe(to: market)
            socket.send(#"{"operation":"subscribe","assets_ids":["\#(next.yes.asset)"]}"#)
            let dump = try await socket.text { $0.contains(next.id.rawValue) }
            #expect(try ReadFrame.read(dump.utf8).map(\.asset_id) == [next.yes.asset.rawValue])
            #expect(harness.simulator.counters.subscriptions == 3)

            let both = market.assets.map { "\"\($0)\"" }.joined(separator: ",")
            socket.send(#"{"operation":"unsubscribe","assets_ids":[\#(both)]}"#)
            try await socket.settle()
            #expect(harness.simulator.counters.subscriptions == 1)
            let before = socket.texts.count
            try await harness.pass(.seconds(20))
            try await socket.settle()
            let frames = socket.texts.dropFirst(before).filter { $0 != "PONG" }
            #expect(!frames.isEmpty)
            #expect(frames.allSatisfy { $0.contains(next.id.rawValue) })

            // Subscribed again: a fresh book.
            let dumps = socket.texts.filter { $0.hasPrefix("[") }.count
            socket.send(#"{"operation":"subscribe","assets_ids":[\#(both)]}"#)
            try await socket.journal.wait { entries in
                entries.filter { if case .text(let text) = $0 { text.hasPrefix("[") } else { false } }.count == dumps
                    + 1
            }
        }
    }

    @Test func plainTextAnswers() async throws {
        try await SimulatorHarness.with { harness in
            let market = try harness.market()
            let socket = try await harness.subscribe(to: market, custom: true)
            try await socket.settle()
            socket.send(#"{"type":"market","assets_ids":["\#(market.yes.asset)"]}"#)
            _ = try await socket.text { $0 == "INVALID OPERATION" }
            socket.send(
                #"{"operation":"subscribe","assets_ids":["\#(market.yes.asset)"],"custom_feature_enabled":true}"#)
            _ = try await socket.text { $0 == "NO NEW ASSETS" }
        }
    }

    @Test func whoSubscribesToNothingIsDroppedWithoutAGoodbye() async throws {
        try await SimulatorHarness.with { harness in
            let silent = try await harness.connect()
            let empty = try await harness.connect()
            let late = try await harness.connect()
            empty.send(#"{"type":"market","assets_ids":[]}"#)
            late.send(#"{"type":"market","assets_ids":[]}"#)
            late.send(#"{"operation":"subscribe","assets_ids":["\#(try harness.market().yes.asset)"]}"#)
            _ = try await late.text { $0.hasPrefix("[") }
            try await empty.settle()
            try await harness.pass(.milliseconds(1_900))
            try await silent.settle()
            try await empty.settle()
            try await harness.pass(.milliseconds(200))
            #expect(try await silent.end() == .ended(code: nil))
            #expect(try await empty.end() == .ended(code: nil))
            try await late.settle()
            #expect(harness.simulator.counters.connectionsOpen == 1)
        }
    }

    @Test func anUnknownAssetGivesNeitherDataNorAnError() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.connect()
            socket.send(#"{"type":"market","assets_ids":["12345678901234567890"]}"#)
            try await socket.settle()
            try await harness.pass(.seconds(5))
            try await socket.settle()
            #expect(socket.texts == ["PONG", "PONG"])
        }
    }

    @Test func theBarePathIsNotFound() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await TestSocket.connect(to: harness.endpoints.marketWebSocket, path: "/ws")
            try await socket.journal.wait(for: .status(404))
        }
    }

    @Test func aClosingHandshakeIsAnswered() async throws {
        try await SimulatorHarness.with { harness in
            let socket = try await harness.subscribe(to: try harness.market())
            try await socket.close()
            #expect(try await socket.end() == .ended(code: nil))
        }
    }

    @Test func theSameOverTLS() async throws {
        let certificate = try TLSFixture.File(TLSFixture.localhost.certificate)
        let key = try TLSFixture.File(TLSFixture.localhost.key)
        defer { withExtendedLifetime((certificate, key)) {} }
        try await SimulatorHarness.with {
            $0.tls = .init(certificateFile: certificate.path, keyFile: key.path)
        } _: { harness in
            #expect(harness.endpoints.marketWebSocket.hasPrefix("wss://"))
            #expect(harness.endpoints.gammaREST.hasPrefix("https://"))
            let trusted = try NIOSSLCertificate.fromPEMBytes(Array(TLSFixture.authority.utf8))
            let socket = try await TestSocket.connect(to: harness.endpoints.marketWebSocket, trusting: trusted.first)
            socket.send(#"{"type":"market","assets_ids":["\#(try harness.market().yes.asset)"]}"#)
            _ = try await socket.text { $0.hasPrefix("[") }
        }
    }

    @Test func whatCannotBeStartedSaysWhy() async throws {
        try await SimulatorHarness.with { harness in
            var configuration = try SimulatorConfiguration.halfMinutes()
            configuration.marketPort = Int(harness.endpoints.clobREST.split(separator: ":").last ?? "") ?? 0
            let second = PolymarketSimulator(
                configuration: configuration, clock: harness.clock, logger: .init(label: "test"))
            await #expect { try await second.start() } throws: { ($0 as? SimulatorError)?.code == .bind }
            configuration.marketPort = 0
            configuration.tls = .init(certificateFile: "/nowhere.pem", keyFile: "/nowhere.pem")
            let third = PolymarketSimulator(
                configuration: configuration, clock: harness.clock, logger: .init(label: "test"))
            await #expect { try await third.start() } throws: { ($0 as? SimulatorError)?.code == .certificate }
            await #expect { try await harness.simulator.start() } throws: { ($0 as? SimulatorError)?.code == .usage }
        }
    }
}
