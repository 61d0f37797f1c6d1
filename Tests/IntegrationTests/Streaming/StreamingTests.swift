import Logging
import OddsCore
import OddsTestSupport
import PolymarketSimulator
import RealtimeOdds
import Testing

/// The streamer against the simulated exchange over real sockets. Nothing here waits for a time: only for events.
@Suite(.timeLimit(.minutes(5)))
struct StreamingTests {
    @Test func oddsComeFromTheExchangesOwnBooks() async throws {
        try await withStreaming {
            $0.flow.orders = 400
            $0.flow.quotes = 60
        } _: { simulator, streamer in
            var seen = 0
            for await update in streamer.updates() {
                guard case .odds(let odds) = update, odds.trust == .live else { continue }
                #expect(streamer.currentOdds(odds.marketID)?.marketID == odds.marketID)
                #expect(odds.slug.hasPrefix("bitcoin-up-or-down-"))
                #expect((odds.yes.bid ?? .zero) < (odds.yes.ask ?? .one))
                // NO is the mirror of YES, each from its own token's book.
                #expect(odds.no.ask == odds.yes.bid?.complement && odds.no.bid == odds.yes.ask?.complement)
                #expect(odds.no.askSize == odds.yes.bidSize)
                #expect(odds.yesOdds == odds.yes.bid?.odds ?? .half && odds.noOdds == odds.yesOdds.complement)
                seen += 1
                if seen == 200 { break }
            }
            #expect(seen == 200)
            let counters = Dictionary(uniqueKeysWithValues: streamer.status.counters.map { ($0.name, $0.value) })
            #expect(counters["frames.malformed"] == 0)
            #expect(counters["events.unknown"] == 0)
            #expect(counters["fields.unknown"] == 0)
            // No claim about mismatches here: what is left of a batch after the hold limit of real time is judged as it
            // stands, and a slow machine reads some batches in two parts.
        }
    }

    @Test func oddsOfAnUnknownMarketAreNil() async throws {
        try await withStreaming { _, streamer in #expect(streamer.currentOdds("0xnone") == nil) }
    }

    @Test func marketsReplaceEachOtherWithoutADroppedConnection() async throws {
        let period: Int64 = 30
        var boundary: Int64 = 1_800_000_030
        let clock = ManualClock(wall: Timestamp(seconds: boundary - 29))
        try await withStreaming(series: ["btc-updown-30s"], clock: clock) {
            $0.resolutionDelay = .milliseconds(300)
        } streamer: {
            // The clock leaps from window to window, and a leap is no silence.
            $0.heartbeatInterval = .seconds(3600)
        } _: { simulator, streamer in
            var live: Set<Timestamp> = []
            var current: [RolloverReceipt] = []
            var resolved: Set<MarketID> = []
            for await update in streamer.updates(.lossless(capacity: 1_000_000)) {
                switch update {
                case .odds(let snapshot), .trust(let snapshot, _):
                    if snapshot.trust == .live, let window = snapshot.market.window { live.insert(window.start) }
                case .rollover(let receipt):
                    // A receipt is told again when it is complete; that of the window we came into says nothing here.
                    if receipt.firstOddsMilliseconds != nil, receipt.previous != nil { current.append(receipt) }
                case .resolution(let resolution): resolved.insert(resolution.market.id)
                case .overflow: Issue.record("updates were lost")
                }
                // This window and the two to come are subscribed and have odds, and the last change is told and settled.
                let windows = [boundary - period, boundary, boundary + period].map { Timestamp(seconds: $0) }
                guard live.isSuperset(of: windows) else { continue }
                if let last = current.last {
                    guard last.boundary == windows[0],
                        let previous = last.previous, resolved.contains(previous.id)
                    else { continue }
                } else if boundary > 1_800_000_030 {
                    continue
                }
                if current.count == 3 { break }
                clock.advance(to: Timestamp(seconds: boundary + 1))
                try await simulator.catchUp()
                boundary += period
            }
            #expect(current.count == 3)
            for (receipt, following) in zip(current, current.dropFirst()) {
                #expect(following.previous?.id == receipt.market.id)
            }
            // Subscribed ahead of its window: usable odds were there before the boundary.
            #expect(current.allSatisfy { $0.firstOddsMilliseconds.map { $0 < 0 } == true }, "\(current)")
            #expect(streamer.status.lines.map(\.disconnects) == [0])
            #expect(simulator.counters.connectionsAccepted == 1)
        }
    }

    @Test func aDroppedConnectionMakesOddsStaleAndComesBackUnderANewEpoch() async throws {
        try await withStreaming { simulator, streamer in
            let updates = streamer.updates(.lossless(capacity: 1_000_000))
            let before = try await first(of: updates) { $0.snapshot?.trust == .live ? $0.snapshot : nil }
            simulator.inject(.drop)
            let stale = try await first(of: updates) { update -> OddsSnapshot? in
                guard case .trust(let snapshot, _) = update, case .stale = snapshot.trust else { return nil }
                return snapshot
            }
            #expect(stale.epoch > before.epoch)
            #expect(stale.trust.reason == "disconnected")
            #expect(stale.yes.bid != nil, "the last known values stay readable")
            let back = try await first(of: updates) { update -> OddsSnapshot? in
                guard case .trust(let snapshot, _) = update, snapshot.trust == .live else { return nil }
                return snapshot.marketID == stale.marketID ? snapshot : nil
            }
            #expect(back.epoch == stale.epoch)
            #expect(streamer.status.lines.map(\.disconnects) == [1])
        }
    }

    @Test func aRefusedConnectionIsTriedAgainWithGrowingWaits() async throws {
        let log = Log(logLevel: .info)
        try await withStreaming(log: log) {
            _ in
        } streamer: {
            $0.backoff = Backoff(delays: [.zero, .milliseconds(20), .milliseconds(40)], jitter: 0)
        } _: { simulator, streamer in
            let updates = streamer.updates(.lossless(capacity: 1_000_000))
            _ = try await first(of: updates) { $0.snapshot?.trust == .live ? true : nil }
            simulator.inject(.refuse(.status(503), for: .seconds(3600)))
            simulator.inject(.drop)
            try await log.messages.wait { $0.count { $0 == "Feed connection failed" } >= 3 }
            simulator.inject(.recover)
            _ = try await first(of: updates) { update -> Bool? in
                guard case .trust(let snapshot, let previous) = update, case .stale = previous else { return nil }
                return snapshot.trust == .live ? true : nil
            }
            let line = try #require(streamer.status.lines.first)
            #expect(line.disconnects >= 4)
            #expect(line.lastError?.contains("503") == true)
        }
    }

    @Test func aFrameThatCannotBeReadMakesBooksSuspectUntilFreshOnesCome() async throws {
        try await withStreaming { simulator, streamer in
            let updates = streamer.updates(.lossless(capacity: 100_000))
            _ = try await first(of: updates) { $0.snapshot?.trust == .live ? true : nil }
            simulator.inject(.malformedFrame)
            let suspect = try await first(of: updates) { update -> OddsSnapshot? in
                guard case .trust(let snapshot, _) = update, case .suspect = snapshot.trust else { return nil }
                return snapshot
            }
            #expect(suspect.trust == .suspect(.malformedFrame))
            let live = try await first(of: updates) { update -> OddsSnapshot? in
                guard case .trust(let snapshot, _) = update, snapshot.marketID == suspect.marketID else { return nil }
                return snapshot.trust == .live ? snapshot : nil
            }
            #expect(live.sequence > suspect.sequence)
            #expect(streamer.status.lines.map(\.disconnects) == [0], "a bad frame takes no line down")
        }
    }

    @Test func aMessageOverTheLimitClosesTheConnectionAndTheStreamGoesOn() async throws {
        try await withStreaming {
            _ in
        } streamer: {
            $0.maximumMessageSize = 256 * 1024
        } _: { simulator, streamer in
            let updates = streamer.updates(.lossless(capacity: 1_000_000))
            _ = try await first(of: updates) { $0.snapshot?.trust == .live ? true : nil }
            simulator.inject(.oversizeFrame(bytes: 300 * 1024))
            _ = try await first(of: updates) { update -> Bool? in
                guard case .trust(let snapshot, let previous) = update, case .stale = previous else { return nil }
                return snapshot.trust == .live ? true : nil
            }
            #expect(streamer.status.lines.first?.lastError?.contains("1009") == true)
        }
    }

    @Test func assetsBeyondAConnectionsLimitAreSpreadOverFurtherConnections() async throws {
        try await withStreaming(series: ["btc-updown-1h", "eth-updown-1h", "sol-updown-1h"]) {
            _ in
        } streamer: {
            $0.maximumAssetsPerConnection = 2
            $0.windowsAhead = 0
        } _: { simulator, streamer in
            var live: Set<MarketID> = []
            for await update in streamer.updates() {
                if let snapshot = update.snapshot, snapshot.trust == .live { live.insert(snapshot.marketID) }
                if live.count == 3 { break }
            }
            #expect(live.count == 3)
            #expect(streamer.status.lines.map(\.assets) == [2, 2, 2])
            #expect(simulator.counters.connectionsAccepted == 3)
        }
    }

    @Test func tokensWithoutDiscoveryFormPairsByTheirMarket() async throws {
        try await withStreaming { simulator, streamer in
            let found = try await first(of: streamer.updates()) { $0.snapshot?.trust == .live ? $0.snapshot : nil }
            let no = try #require(found.market.no)
            // Named in the order NO, YES: the first named is called YES then.
            let bare = try await withBareStreamer(simulator, assets: [no.asset, found.market.yes.asset]) { bare in
                try await first(of: bare.updates()) { update -> OddsSnapshot? in
                    guard let snapshot = update.snapshot, snapshot.market.no != nil else { return nil }
                    return snapshot.trust == .live ? snapshot : nil
                }
            }
            #expect(bare.market.id == found.market.id)
            #expect(bare.market.yes.asset == no.asset)
            #expect(bare.market.no?.asset == found.market.yes.asset)
        }
    }

    private func withBareStreamer<Result>(
        _ simulator: PolymarketSimulator, assets: [AssetID],
        _ body: (RealtimeOddsStreamer) async throws -> Result
    ) async throws -> Result {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = [.assets(assets)]
        configuration.marketWebSocket = try #require(simulator.endpoints).marketWebSocket
        let streamer = try RealtimeOddsStreamer(
            configuration: configuration, logger: Logger(label: "test.bare") { _ in SwiftLogNoOpLogHandler() },
            clock: exchangeClock)
        streamer.start()
        let result = try await body(streamer)
        await streamer.stop()
        return result
    }

    @Test func stoppingEndsEverySequenceAndLeavesTheLastOddsReadableAsStale() async throws {
        try await withStreaming { simulator, streamer in
            let updates = streamer.updates(.lossless(capacity: 1_000_000))
            let odds = try await first(of: updates) { $0.snapshot?.trust == .live ? $0.snapshot : nil }
            async let rest = updates.reduce(into: 0) { count, _ in count += 1 }
            await streamer.stop()
            _ = await rest  // returns only because the sequence ended
            let last = try #require(streamer.currentOdds(odds.marketID))
            #expect(last.trust.reason == "stopped")
            var late = streamer.updates().makeAsyncIterator()
            while await late.next() != nil {}
            #expect(simulator.counters.connectionsAccepted == 1)
        }
    }

    @Test func stoppingInTheMiddleOfAConnectionAttemptEnds() async throws {
        try await withStreaming { simulator, streamer in
            let updates = streamer.updates(.lossless(capacity: 1_000_000))
            _ = try await first(of: updates) { $0.snapshot?.trust == .live ? true : nil }
            simulator.inject(.refuse(.reset, for: .seconds(3600)))
            simulator.inject(.drop)
            _ = try await first(of: updates) { update -> Bool? in
                if case .stale? = update.snapshot?.trust { true } else { nil }
            }
            await streamer.stop()
        }
    }

    @Test func readersOnOtherThreadsSeeOnlyWholeSnapshots() async throws {
        try await withStreaming {
            $0.flow.orders = 400
            $0.flow.quotes = 60
        } _: { _, streamer in
            let updates = streamer.updates(.lossless(capacity: 1_000_000))
            let market = try await first(of: updates) { $0.snapshot?.trust == .live ? $0.snapshot?.marketID : nil }
            let torn = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var torn = 0
                        var last: UInt64 = 0
                        for _ in 0..<20_000 {
                            guard let odds = streamer.currentOdds(market) else { continue }
                            if odds.sequence < last { torn += 1 }
                            last = odds.sequence
                            // Any mixture of two publications breaks the mirror sooner or later.
                            if odds.no.ask != odds.yes.bid?.complement || odds.no.bid != odds.yes.ask?.complement
                                || odds.no.askSize != odds.yes.bidSize || odds.no.bidSize != odds.yes.askSize
                            {
                                torn += 1
                            }
                        }
                        return torn
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(torn == 0)
        }
    }
}
