import OddsCore
import Testing

/// Two lines with the same market on one board.
private final class TwoLines {
    let board = OddsBoard()
    let arbiter: FeedArbiter
    let lines: [FeedHarness]

    init() {
        let (board, arbiter) = (self.board, FeedArbiter(board: self.board))
        self.arbiter = arbiter
        self.lines = (0..<2).map { FeedHarness(line: $0, board: board, arbiter: arbiter) }
    }

    /// Both lines have the first books, and nobody has anything left to tell.
    static func settled() -> TwoLines {
        let two = TwoLines()
        for line in two.lines { line.receive(line.dump(1000)) }
        _ = two.drain()
        return two
    }

    func change(_ time: Int64, _ size: Size, bid: Price = 0.48) -> String {
        self.lines[0].change(time, .bids, bid, size, best: (bid, 0.52))
    }

    func drain() -> [String] { self.lines.flatMap { $0.drain() } }
    var snapshot: OddsSnapshot? { self.lines[0].snapshot }
    var shown: String { "\(self.snapshot?.yes.bidSize.description ?? "-") \(self.snapshot?.trust.name ?? "-")" }
}

@Suite struct FeedArbiterTests {
    @Test func whatTheSlowerLineRepeatsChangesNothing() {
        let two = TwoLines.settled()
        two.lines[0].receive(two.change(1001, 31))
        #expect(two.drain() == ["0xfeed values"])
        let sequence = two.snapshot?.sequence
        two.lines[1].receive(two.change(1001, 31))
        #expect(two.drain() == [])
        #expect(two.snapshot?.sequence == sequence)
        #expect(two.snapshot?.source == .line(0))
    }

    @Test func theLineWhoseExchangeTimeIsAheadLeads() {
        let two = TwoLines.settled()
        two.lines[1].receive(two.change(1001, 31))
        #expect(two.shown == "31 live")
        #expect(two.snapshot?.source == .line(1))
        // Line 0 is late with it, and then ahead.
        two.lines[0].receive(two.change(1001, 31))
        #expect(two.snapshot?.source == .line(1))
        two.lines[0].receive(two.change(1002, 32))
        #expect(two.shown == "32 live")
        #expect(two.snapshot?.source == .line(0))
    }

    @Test func ofTheSameTimeTheLineWithMoreMessagesLeads() {
        let two = TwoLines.settled()
        two.lines[0].receive(two.change(1001, 31))
        two.lines[1].receive(two.change(1001, 31), two.change(1001, 32))
        #expect(two.shown == "32 live")
        #expect(two.snapshot?.source == .line(1))
        two.lines[0].receive(two.change(1001, 32))
        #expect(two.snapshot?.source == .line(1))
    }

    @Test func losingOneLineOfTwoChangesNeitherValueNorTrustNorEpoch() {
        let two = TwoLines.settled()
        two.lines[0].receive(two.change(1001, 31))
        two.lines[1].receive(two.change(1001, 31))
        _ = two.drain()
        let before = two.snapshot
        two.lines[0].books.connectionLost(reason: .disconnected)
        #expect(two.drain() == [])
        #expect(two.shown == "31 live")
        #expect(two.snapshot?.epoch == before?.epoch)
        two.lines[1].receive(two.change(1002, 32))
        #expect(two.shown == "32 live")
        #expect(two.snapshot?.source == .line(1))
        // The lost line comes back with books of the same moment, and does not take over for it.
        two.lines[0].receive(two.lines[0].dump(1002, bids: [(0.48, 32), (0.40, 12)]))
        #expect(two.snapshot?.source == .line(1))
        #expect(two.snapshot?.epoch == before?.epoch)
    }

    @Test func theBoardWaitsForALineThatHasNotHadWhatTheLostOneHad() {
        let two = TwoLines.settled()
        two.lines[0].receive(two.change(1001, 31))
        _ = two.drain()
        let before = two.snapshot
        two.lines[0].books.connectionLost(reason: .disconnected)
        #expect(two.shown == "31 live", "nothing older is put in the place of something newer")
        #expect(two.drain() == [])
        #expect(two.arbiter.waitingCount == 1)
        two.lines[1].receive(two.change(1001, 31))
        #expect(two.arbiter.waitingCount == 0)
        #expect(two.shown == "31 live")
        #expect(two.snapshot?.source == .line(1))
        #expect(two.snapshot?.epoch == before?.epoch)
    }

    @Test func aLineThatDoesNotCatchUpIsSuspectUntilFreshBooksCome() {
        let two = TwoLines.settled()
        two.lines[0].receive(two.change(1001, 31))
        let before = two.snapshot
        two.lines[0].books.connectionLost(reason: .disconnected)
        _ = two.drain()
        #expect(two.arbiter.overdue(before: two.lines[1].now.advanced(by: .seconds(-1))).isEmpty)
        let overdue = two.arbiter.overdue(before: two.lines[1].now.advanced(by: .seconds(1)))
        #expect(overdue.map(\.line) == [1])
        two.lines[1].books.suspectBehind("0xfeed")
        #expect(two.snapshot?.trust == .suspect(.behind))
        #expect((two.snapshot?.epoch ?? 0) > (before?.epoch ?? 0))
        #expect(two.lines[1].witness.take().filter { $0.hasPrefix("resync") }.count == 2)
        #expect(two.arbiter.waitingCount == 0)
        two.lines[1].receive(two.lines[1].dump(1001, bids: [(0.48, 31)]))
        #expect(two.shown == "31 live")
    }

    @Test func whatContradictsOneLineIsNoMatterWhileTheOtherIsLive() {
        let two = TwoLines.settled()
        let before = two.snapshot
        two.lines[0].receive(#"{"market":"0xfeed","price_ch"#)
        #expect(two.drain() == [])
        #expect(two.snapshot?.trust == .live)
        #expect(two.snapshot?.source == .line(1))
        #expect(two.snapshot?.epoch == before?.epoch)
        two.lines[1].receive(#"{"market":"0xfeed","price_ch"#)
        #expect(two.snapshot?.trust == .suspect(.malformedFrame))
    }

    @Test func losingBothLinesIsOneLossOfContinuity() {
        let two = TwoLines.settled()
        let before = two.snapshot
        two.lines[0].books.connectionLost(reason: .disconnected)
        two.lines[1].books.connectionLost(reason: .disconnected)
        #expect(two.drain() == ["0xfeed was live"])
        #expect(two.snapshot?.trust.name == "stale")
        let lost = two.snapshot?.epoch ?? 0
        #expect(lost > before?.epoch ?? 0)
        two.lines[0].receive(two.lines[0].dump(1005))
        two.lines[1].receive(two.lines[1].dump(1005))
        #expect(two.snapshot?.trust == .live)
        #expect(two.snapshot?.epoch == lost)
    }

    @Test func aPhaseThatReachesTheLinesOneAfterTheOtherIsToldOnce() {
        let two = TwoLines.settled()
        for line in two.lines { line.books.setPhase(.resolving, of: "0xfeed") }
        #expect(two.drain() == ["0xfeed was live"])
        #expect(two.snapshot?.trust == .resolving)
        for line in two.lines { line.books.setPhase(.closed, of: "0xfeed") }
        #expect(two.drain() == ["0xfeed was resolving"])
        #expect(two.snapshot?.trust == .closed)
    }

    @Test func aDecidedMarketStaysDecidedThoughAnotherLineHasNotHeard() {
        let two = TwoLines.settled()
        two.lines[1].books.setPhase(.closed, of: "0xfeed")
        #expect(two.drain() == ["0xfeed was live"])
        two.lines[0].receive(two.change(1001, 31))
        #expect(two.snapshot?.trust == .closed)
        #expect(two.drain() == [])
    }

    @Test func tokensNamedWithoutAMarketPairUpOnBothLines() {
        let board = OddsBoard()
        let arbiter = FeedArbiter(board: board)
        let lines = (0..<2).map { FeedHarness(following: false, line: $0, board: board, arbiter: arbiter) }
        for line in lines { line.books.add(bare: [line.up, line.down]) }
        lines[0].receive(lines[0].dump(1000))
        let slot = board.slot("0xfeed")
        lines[1].receive(lines[1].dump(1000))
        #expect(board.slot("0xfeed") === slot, "the second line does not take the pair apart")
        lines[0].books.connectionLost(reason: .disconnected)
        lines[1].receive(lines[1].change(1001, .bids, 0.48, 33, best: (0.48, 0.52)))
        #expect(lines[0].snapshot?.yes.bidSize == 33)
        #expect(lines[0].snapshot?.trust == .live)
    }

    /// The same messages on two lines with random lags and repeats, and lines that die and come back: while odds are
    /// live, what the board shows is a state the exchange was in, and never an older one than before.
    @Test(arguments: UInt64(0)..<60) func theBoardNeverGoesBackAndNeverShowsWhatWasNot(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let two = TwoLines()
        var sizes: [Size] = [30]  // by message number: the best bid's size after it
        var next = [0, 0]  // the next message of each line
        var isUp = [false, false]
        var newest = 0
        func state(_ number: Int) -> String {
            two.lines[0].dump(1000 + Int64(number), bids: [(0.48, sizes[number]), (0.40, 12)])
        }
        for _ in 0..<600 {
            let line = Int.random(in: 0..<2, using: &generator)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0 where isUp[line]:
                isUp[line] = false
                two.lines[line].books.connectionLost(reason: .disconnected)
            case 1..<4 where !isUp[line]:
                isUp[line] = true
                two.lines[line].receive(state(sizes.count - 1))
                next[line] = sizes.count
            case 4..<8:
                sizes.append(Size(rawValue: Int64(sizes.count + 100) * 1_000_000))
            case 8 where isUp[line] && next[line] > 1:
                let old = max(1, next[line] - Int.random(in: 1...3, using: &generator))
                two.lines[line].receive(two.change(1000 + Int64(old), sizes[old]))
            default:
                guard isUp[line], next[line] < sizes.count else { continue }
                two.lines[line].receive(two.change(1000 + Int64(next[line]), sizes[next[line]]))
                next[line] += 1
            }
            guard let snapshot = two.snapshot, snapshot.trust == .live else { continue }
            let number = Int(snapshot.exchangeTime.milliseconds - 1000)
            #expect(sizes.indices.contains(number) && snapshot.yes.bidSize == sizes[number])
            #expect(number >= newest)
            newest = max(newest, number)
        }
        #expect(newest > 0)
    }
}
