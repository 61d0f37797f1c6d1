import Logging
import OddsCore
import OddsTestSupport
import Synchronization
import Testing

@testable import RealtimeOdds

/// The poller on a clock and a server of the test's making.
@Suite(.timeLimit(.minutes(2))) struct MarketOddsPollerTests {
    /// The books the server has, by token, and how it behaves.
    private final class Venue: Sendable {
        struct Book {
            var market: String
            var time: Int64
            var bid: String
            var ask: String
        }

        let transport: ScriptedTransport
        private let books = Mutex<[String: Book]>([:])
        private let override = Mutex<(@Sendable (String) -> ScriptedTransport.Answer?)?>(nil)

        init() {
            self.transport = ScriptedTransport(base: "http://venue")
            self.transport.answer { [weak self] path in self?.answer(path) ?? .missing }
        }

        /// Sets the books of a pair, mirrors of each other.
        func set(_ yes: String, _ no: String, market: String = "0xm", time: Int64, bid: Price, ask: Price) {
            self.books.withLock {
                $0[yes] = Book(market: market, time: time, bid: "\(bid)", ask: "\(ask)")
                $0[no] = Book(market: market, time: time, bid: "\(ask.complement)", ask: "\(bid.complement)")
            }
        }

        /// What is answered instead; nil for a path means that the books speak.
        func instead(_ answer: (@Sendable (String) -> ScriptedTransport.Answer?)?) {
            self.override.withLock { $0 = answer }
        }

        private func answer(_ path: String) -> ScriptedTransport.Answer {
            if let answer = self.override.withLock({ $0 })?(path) { return answer }
            guard let token = path.split(separator: "=").last.map(String.init),
                let book = self.books.withLock({ $0[token] })
            else { return .missing }
            return .json(
                clobBook(
                    AssetID(token),
                    [
                        "market": "\"\(book.market)\"", "timestamp": "\"\(book.time)\"",
                        "bids": #"[{"price":"\#(book.bid)","size":"10"}]"#,
                        "asks": #"[{"price":"\#(book.ask)","size":"10"}]"#, "last_trade_price": #""""#,
                    ]))
        }
    }

    private let clock = ManualClock(wall: Timestamp(seconds: 1_777_428_005))
    private let venue = Venue()

    private func makePoller(
        _ markets: [MarketSelection] = [.assets(["1", "2"])], log: Journal<String> = Journal(),
        observer: (any MarketObserver)? = nil, _ configure: (inout RealtimeOddsConfiguration) -> Void = { _ in }
    ) throws -> MarketOddsPoller {
        var configuration = RealtimeOddsConfiguration()
        configuration.markets = markets
        configuration.clobREST = "http://venue"
        configuration.gammaREST = "http://venue"
        configuration.seed = 1
        configure(&configuration)
        return try MarketOddsPoller(
            configuration: configuration, logger: Logger(label: "test") { _ in LevelLog(journal: log) },
            clock: self.clock, transport: self.venue.transport, marketObserver: observer)
    }

    /// Runs a poller while `body` does; nothing may be left of it afterwards.
    private func polling(
        _ poller: MarketOddsPoller, _ body: (MarketOddsPoller) async throws -> Void
    ) async throws {
        poller.start()
        let outcome: Result<Void, any Error>
        do {
            try await body(poller)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await poller.stop()
        #expect(self.clock.sleeperCount == 0)
        #expect(self.venue.transport.openRequests == 0)
        try outcome.get()
    }

    private func count(_ poller: MarketOddsPoller, _ name: String) -> UInt64 {
        poller.status.counters.first { $0.name == name }?.value ?? 0
    }

    private func until(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    /// Moves the clock on, to wake what sleeps, until the condition holds.
    private func advance(by duration: Duration) async throws {
        try await self.clock.sleepers()
        self.clock.advance(by: duration)
    }

    private func odds(_ poller: MarketOddsPoller, _ market: MarketID = "0xm") -> OddsSnapshot? {
        poller.currentOdds(market)
    }

    @Test func everyPublicationIsSeenInline() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        let tap = Tap()
        let poller = try self.makePoller(observer: tap)
        try await self.polling(poller) { poller in
            try await tap.told.wait(forCount: 1)
            for (step, bid) in [0.49, 0.50, 0.51].enumerated() {
                let bid = Price(rawValue: Int32((bid * 10_000).rounded()))
                self.venue.set("1", "2", time: Int64(2000 + step), bid: bid, ask: 0.6)
                try await self.advance(by: .seconds(60))
                try await tap.told.wait(forCount: step + 2)
            }
            self.venue.instead { _ in .error(RESTError(.unreachable, "nobody there")) }
            while tap.told.entries.count == 4 {
                if self.clock.sleeperCount > 0 { self.clock.advance(by: .seconds(1)) }
                await Task.yield()
            }
        }
        let published = tap.published
        #expect(published.map { $0.yes.bid } == [0.48, 0.49, 0.5, 0.51, 0.51, 0.51])
        #expect(published.suffix(2).map(\.trust.reason) == ["disconnected", "stopped"])
        #expect(published.map(\.sequence) == published.indices.map { UInt64($0 + 1) })
        #expect(tap.story == ["fallback", "stale"])
    }

    @Test func theDepthIsThatOfTheLastBelievedAnswer() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        let tap = Tap()
        let poller = try self.makePoller(observer: tap)
        let late = Journal<TokenDepth?>()
        try await self.polling(poller) { poller in
            try await tap.told.wait(forCount: 1)
            let reader = try #require(tap.reader)
            // Inside the call the reader has what was just published.
            #expect(tap.depths.entries.map { $0?.bids.first?.price } == [0.48])
            let no = try #require(await poller.depth(of: "2"))
            #expect(no.bids == [Level(price: 0.5, size: 10)] && no.asks == [Level(price: 0.52, size: 10)])
            #expect(no.side == .no && no.source == .poller && no.trust == .fallback && no.isPublished)
            #expect(await poller.depth(of: "3") == nil)
            try await tap.samples.wait(forCount: 1)
            let micro = try #require(poller.microstructure(of: "0xm"))
            #expect(micro.yes?.midpoint == 0.49 && micro.no?.midpoint == 0.51 && micro.yes?.spreadTicks == 2)
            #expect(micro.longFlow == nil && micro.volatility == nil && micro.lastTradeAge == nil)
            #expect(tap.samples.entries.first?.yes == micro.yes)
            let instant = self.clock.now().monotonic.advanced(by: .milliseconds(300))
            reader.depth(of: "1", at: instant.advanced(by: .seconds(3600))) { depth, _ in late.append(depth) }
            reader.depth(of: "1", at: instant) { depth, now in
                #expect(now.monotonic == instant)
                late.append(depth)
            }
            // The poller sleeps till then and no longer.
            while late.entries.isEmpty {
                if self.clock.sleeperCount > 0, self.clock.now().monotonic < instant {
                    self.clock.advance(by: .milliseconds(100))
                }
                await Task.yield()
            }
            #expect(late.entries.first??.bids == [Level(price: 0.48, size: 10)])
        }
        #expect(late.entries.count == 2 && late.entries.last == .some(nil), "the end answers what is open")
        #expect(await poller.depth(of: "1") == nil, "nothing confirms it any more")
        #expect(poller.microstructure(of: "0xm")?.yes == nil)
    }

    @Test func theFirstOddsComeAtOnceAndTheNextAtTheWholeMinute() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        let poller = try self.makePoller()
        try await self.polling(poller) { poller in
            await self.until { self.odds(poller) != nil }
            let first = try #require(self.odds(poller))
            #expect(first.trust == .fallback && first.source == .poller)
            #expect(first.yes.bid == 0.48 && first.no.bid == 0.5)
            #expect(first.market.assets == ["1", "2"])
            #expect(poller.markets.map(\.market.id) == ["0xm"])
            await self.until { self.count(poller, "poll.confirmed") == 1 }
            let asked = self.venue.transport.asked.entries.count
            self.venue.set("1", "2", time: 2000, bid: 0.71, ask: 0.72)
            // 54 s later nothing has been asked; a second after that it is.
            for _ in 0..<54 { try await self.advance(by: .seconds(1)) }
            #expect(self.venue.transport.asked.entries.count == asked)
            try await self.advance(by: .seconds(1))
            await self.until { self.odds(poller)?.yes.bid == 0.71 }
            #expect(self.odds(poller)?.epoch == first.epoch)
            #expect(self.clock.wall == Timestamp(seconds: 1_777_428_060))
        }
        #expect(self.odds(poller)?.trust.reason == "stopped")
    }

    @Test func updatesTellValuesTrustAndTheEnd() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        let poller = try self.makePoller()
        let updates = poller.updates(.lossless(capacity: 100))
        let told = Journal<String>()
        let listener = Task {
            for await update in updates {
                switch update {
                case .odds(let odds): told.append("odds \(odds.yes.bid.map { "\($0)" } ?? "-")")
                case .trust(let odds, let previous): told.append("\(previous.name) > \(odds.trust.name)")
                case .rollover, .resolution, .overflow: told.append("something else")
                }
            }
        }
        try await self.polling(poller) { poller in
            try await told.wait(forCount: 1)
            self.venue.instead { _ in .error(RESTError(.unreachable, "nobody there")) }
            while poller.status.problems.isEmpty { try await self.advance(by: .seconds(1)) }
            #expect(poller.status.problems == ["0xm: no odds over REST: nobody there"])
            try await told.wait(for: "fallback > stale")
            self.venue.instead(nil)
            self.venue.set("1", "2", time: 2000, bid: 0.6, ask: 0.62)
            while self.odds(poller)?.trust != .fallback { try await self.advance(by: .seconds(1)) }
            #expect(poller.status.problems.isEmpty)
            #expect(self.odds(poller)?.epoch == 2)
        }
        await listener.value
        #expect(
            told.entries == [
                "odds 0.48", "fallback > stale", "stale > fallback", "odds 0.6", "fallback > stale",
            ])
    }

    @Test func incidentsTellWhatWasMissing() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        let poller = try self.makePoller([.assets(["1", "2"]), .assets(["7"])]) { $0.pollInterval = .seconds(1) }
        try await self.polling(poller) { poller in
            await self.until { self.odds(poller) != nil }
            for _ in 0..<30 { try await self.advance(by: .seconds(1)) }
            // A token without a market is a name that is not found; the market is as good as a poller's can be.
            await self.until { poller.incidents().open.map(\.kind) == [.missingMarket] }
            #expect(poller.incidents().open.first?.title == "Token 7")
            #expect(poller.incidents().uptime.total.share == 1)
            #expect(poller.incidents().uptime.total.up > .seconds(25))
            self.venue.instead { _ in .error(RESTError(.unreachable, "nobody there")) }
            while self.odds(poller)?.trust.name != "stale" { try await self.advance(by: .seconds(1)) }
            let lasting = try #require(poller.incidents().open.first { $0.market?.id == "0xm" })
            #expect(lasting.kind == .connectionLost)
            // It began with the last answer, which two questions without one were needed to see.
            #expect(lasting.detectionTime >= .seconds(1))
            for _ in 0..<10 { try await self.advance(by: .seconds(1)) }
            self.venue.instead(nil)
            self.venue.set("1", "2", time: 2000, bid: 0.6, ask: 0.62)
            self.venue.set("7", "8", market: "0xn", time: 2000, bid: 0.6, ask: 0.62)
            while !poller.incidents().open.isEmpty { try await self.advance(by: .seconds(1)) }
            let report = poller.incidents()
            #expect(report.counts == [.missingMarket: 1, .connectionLost: 1])
            let lost = try #require(report.uptime.total.lost[.connectionLost])
            #expect(lost >= .seconds(10) && lost == report.uptime.total.due - report.uptime.total.up)
            #expect(report.finished.allSatisfy { $0.ending == .recovered })
        }
        #expect(poller.incidents().open.isEmpty, "what ends with the poller is no incident")
    }

    @Test func aWarningIsSaidOncePerIncident() async throws {
        let log = Journal<String>()
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        self.venue.set("3", "4", market: "0xn", time: 1000, bid: 0.48, ask: 0.5)
        let poller = try self.makePoller([.assets(["1", "2", "3", "4"])], log: log)
        try await self.polling(poller) { poller in
            await self.until { self.count(poller, "poll.confirmed") == 2 }
            self.venue.instead { _ in .error(RESTError(.unreachable, "nobody there")) }
            while self.count(poller, "poll.failures") < 24 { try await self.advance(by: .seconds(1)) }
            self.venue.instead(nil)
            while poller.status.problems.isEmpty == false { try await self.advance(by: .seconds(1)) }
            try await log.wait(for: "info Poller has answers again")
        }
        let own = log.entries.filter { !$0.contains("Incident") }
        #expect(own == ["warning Poller without answers", "info Poller has answers again"])
        // Each market has an incident of its own, which is no second warning.
        #expect(log.entries.count { $0.hasPrefix("warning") } == 1)
        #expect(log.entries.count { $0 == "info Incident began" } == 2)
    }

    @Test func aSlowAnswerDelaysNoOtherMarket() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        self.venue.set("3", "4", market: "0xn", time: 1000, bid: 0.3, ask: 0.4)
        let poller = try self.makePoller([.assets(["1", "2"]), .assets(["3", "4"])]) {
            $0.pollInterval = .seconds(1)
        }
        try await self.polling(poller) { poller in
            await self.until { self.odds(poller) != nil && self.odds(poller, "0xn") != nil }
            self.venue.instead { $0.hasSuffix("=1") ? .never : nil }
            for round in 1...5 {
                self.venue.set(
                    "3", "4", market: "0xn", time: 1000 + Int64(round), bid: Price(rawValue: 3000 + Int32(round)),
                    ask: 0.4)
                let wanted = Price(rawValue: 3000 + Int32(round))
                while self.odds(poller, "0xn")?.yes.bid != wanted { try await self.advance(by: .seconds(1)) }
            }
            #expect(self.count(poller, "poll.overlaps") > 0)
            #expect(self.venue.transport.openRequests >= 1)
        }
    }

    @Test func aGhostIsNeverServed() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        let poller = try self.makePoller { $0.pollInterval = .seconds(1) }
        try await self.polling(poller) { poller in
            await self.until { self.odds(poller) != nil }
            // Its time moves on while its levels do not: nothing ever confirms it.
            for round in 1...10 {
                let before = self.count(poller, "poll.ghosts")
                self.venue.set("1", "2", time: 1000 + Int64(round), bid: 0.01, ask: 0.99)
                while self.count(poller, "poll.ghosts") == before { try await self.advance(by: .seconds(1)) }
                #expect(self.odds(poller)?.yes.bid == 0.48)
            }
            #expect(self.odds(poller)?.trust.reason == "frozen")
            #expect(poller.status.problems.first?.contains("ghost") == true)
            self.venue.set("1", "2", time: 900, bid: 0.2, ask: 0.3)
            while self.count(poller, "poll.older") == 0 { try await self.advance(by: .seconds(1)) }
            #expect(self.odds(poller)?.yes.bid == 0.48)
            self.venue.set("1", "2", time: 5000, bid: 0.2, ask: 0.3)
            while self.odds(poller)?.yes.bid != 0.2 { try await self.advance(by: .seconds(1)) }
        }
    }

    @Test func tooManyRequestsHoldEverybodyForAsLongAsTheVenueSays() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        self.venue.set("3", "4", market: "0xn", time: 1000, bid: 0.48, ask: 0.5)
        let poller = try self.makePoller([.assets(["1", "2", "3", "4"])]) { $0.pollInterval = .seconds(1) }
        try await self.polling(poller) { poller in
            await self.until { self.count(poller, "poll.confirmed") == 2 }
            self.venue.instead {
                $0.hasSuffix("=1") ? .response(RESTResponse(status: 429, retryAfter: "30")) : nil
            }
            while self.count(poller, "poll.rateLimited") == 0 { try await self.advance(by: .seconds(1)) }
            self.venue.instead(nil)
            // What was out may still be answered; then it is quiet until the half minute is over.
            await self.until { self.venue.transport.openRequests == 0 }
            let asked = self.count(poller, "poll.requests")
            for _ in 0..<29 { try await self.advance(by: .seconds(1)) }
            #expect(self.count(poller, "poll.requests") == asked)
            while self.count(poller, "poll.requests") == asked { try await self.advance(by: .seconds(1)) }
        }
    }

    @Test func aFailingServerIsAskedLessAndLess() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        let poller = try self.makePoller()
        try await self.polling(poller) { poller in
            await self.until { self.count(poller, "poll.confirmed") == 1 }
            self.venue.instead { _ in .response(RESTResponse(status: 503)) }
            // To the whole minute, then for ten more: 1, 2, 4 … 60 s apart instead of 600 times.
            for _ in 0..<655 { try await self.advance(by: .seconds(1)) }
            let failures = self.count(poller, "poll.failures")
            #expect(failures >= 16 && failures <= 2 * 18, "\(failures)")
        }
    }

    @Test func aMachineThatSleptAsksAtOnce() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        let poller = try self.makePoller()
        try await self.polling(poller) { poller in
            await self.until { self.count(poller, "poll.confirmed") == 1 }
            for step in [Duration.seconds(7200), .seconds(-3600)] {
                let before = self.count(poller, "poll.confirmed")
                self.clock.stepWall(by: step)
                try await self.advance(by: .seconds(1))
                await self.until { self.count(poller, "poll.confirmed") == before + 1 }
            }
            // After that the rounds are at whole minutes again.
            let before = self.count(poller, "poll.confirmed")
            while self.count(poller, "poll.confirmed") == before { try await self.advance(by: .seconds(1)) }
            #expect(self.clock.wall.seconds % 60 <= 2)
        }
    }

    @Test func aSeriesRollsOver() async throws {
        let venue = self.venue
        let clock = self.clock
        let tap = Tap()
        let poller = try self.makePoller([.series(try MarketSeries("btc-updown-30s"))], observer: tap) {
            $0.pollInterval = .seconds(1)
        }
        venue.instead { path in
            let slug = path.split(separator: "/").last.map(String.init) ?? ""
            guard path.hasPrefix("/markets/slug/"), let start = Int64(slug.split(separator: "-").last ?? "") else {
                return nil
            }
            venue.set(
                "\(start)1", "\(start)2", market: "0x-\(slug)", time: clock.wall.milliseconds, bid: 0.48, ask: 0.5)
            let over = clock.wall.seconds >= start + 50
            return .json(
                gammaMarket(
                    slug,
                    [
                        "clobTokenIds": #"["\#(start)1","\#(start)2"]"#, "closed": over ? "true" : "false",
                        "outcomePrices": over ? #"["1","0"]"# : #"["0.5","0.5"]"#,
                    ]))
        }
        let told = Journal<String>()
        let updates = poller.updates(.lossless(capacity: 10_000))
        let listener = Task {
            for await update in updates {
                switch update {
                case .rollover(let receipt):
                    told.append("rollover \(receipt.firstOddsMilliseconds.map { $0 < 0 } == true)")
                case .resolution(let resolution): told.append("resolved \(resolution.winner == .yes)")
                case .trust(let odds, _): told.append(odds.trust.name)
                case .odds, .overflow: break
                }
            }
        }
        try await self.polling(poller) { poller in
            while !told.entries.contains("closed") { try await self.advance(by: .milliseconds(500)) }
            #expect(told.entries.contains("rollover true"))
            #expect(told.entries.contains("resolving"))
            #expect(told.entries.contains("resolved true"))
            let current = try #require(poller.markets.first { $0.role == .current })
            #expect(current.market.window?.contains(clock.wall) == true)
            #expect(poller.currentOdds(current.market.id)?.trust == .fallback)
            #expect(poller.status.series.first?.series == "btc-updown-30s")
        }
        await listener.value
        let decided = tap.told.entries.compactMap { if case .resolved(let id, _, _) = $0 { id } else { nil } }
        let first = try #require(decided.first)
        let story = tap.told.entries.filter { entry in
            switch entry {
            case .published(let odds): odds.market.id == first
            case .ended(let id), .resolved(let id, _, _): id == first
            }
        }
        #expect(story.suffix(2) == [.ended(first), .resolved(first, .yes, .gamma)])
        #expect(story.filter { $0 == .ended(first) }.count == 1)
    }

    @Test func halfOfAPairBecomesAWholeOne() async throws {
        self.venue.set("1", "2", time: 1000, bid: 0.48, ask: 0.5)
        self.venue.instead { $0.hasSuffix("=1") ? .missing : nil }
        let tap = Tap()
        let poller = try self.makePoller(observer: tap) { $0.pollInterval = .seconds(1) }
        try await self.polling(poller) { poller in
            await self.until { self.odds(poller) != nil }
            #expect(self.odds(poller)?.market.assets == ["2"])
            #expect(self.odds(poller)?.yes.bid == 0.5, "alone it is the only side there is")
            let epoch = try #require(self.odds(poller)?.epoch)
            self.venue.instead(nil)
            while self.odds(poller)?.market.assets != ["1", "2"] { try await self.advance(by: .seconds(1)) }
            #expect(self.odds(poller)?.yes.bid == 0.48)
            #expect(try #require(self.odds(poller)?.epoch) > epoch)
        }
        #expect(!tap.told.entries.contains(.ended("0xm")), "the market goes on")
    }

    @Test func stoppingEndsWhatIsAskedAndWaitedFor() async throws {
        self.venue.instead { _ in .never }
        let poller = try self.makePoller()
        let updates = poller.updates()
        poller.start()
        await self.until { self.venue.transport.openRequests == 2 }
        await poller.stop()
        for await _ in updates {}  // returns only because the sequence ended
        #expect(self.venue.transport.openRequests == 0)
        #expect(self.clock.sleeperCount == 0)
        await #expect(throws: RealtimeOddsError.self) { try await poller.run() }
    }

    @Test func aPollerThatNeverRanEndsItsSequences() async throws {
        let poller = try self.makePoller()
        let updates = poller.updates(.lossless(capacity: 1))
        await poller.stop()
        for await _ in updates {}
        poller.start()
        #expect(poller.status.startedAt == nil)
    }

    @Test func nothingIsLeftOfAPoller() async throws {
        weak var left: MarketOddsPoller?
        weak var hub: UpdateHub?
        do {
            let poller = try self.makePoller()
            poller.start()
            await poller.stop()
            (left, hub) = (poller, poller.hub)
        }
        #expect(left == nil && hub == nil)
    }

    @Test(arguments: [Duration.milliseconds(99), .seconds(3601), .zero])
    func anIntervalThatCannotBeUsedIsRefused(interval: Duration) throws {
        let error = #expect(throws: RealtimeOddsError.self) { try self.makePoller { $0.pollInterval = interval } }
        #expect(error?.message.contains("pollInterval") == true)
    }
}

/// Writes level and fixed sentence of each message from info up into a journal.
private struct LevelLog: LogHandler {
    let journal: Journal<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) { self.journal.append("\(event.level) \(event.message)") }
}
