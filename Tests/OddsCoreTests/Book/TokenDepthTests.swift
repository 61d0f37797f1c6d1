import OddsCore
import Testing

/// The whole book of a token, as one of several lines has it.
@Suite struct TokenDepthTests {
    private let board = OddsBoard()
    private let arbiter: FeedArbiter
    private let lines: [FeedHarness]

    init() {
        let arbiter = FeedArbiter(board: self.board)
        self.arbiter = arbiter
        let board = self.board
        self.lines = (0...1).map { FeedHarness(line: $0, board: board, arbiter: arbiter) }
    }

    private func levels(_ lines: [(Price, Size)]) -> [Level] { lines.map { Level(price: $0, size: $1) } }

    @Test func bothTokensHaveTheirOwnBookWithTheBestFirst() throws {
        let line = self.lines[0]
        #expect(line.books.depth(of: line.up) == nil)
        line.receive(line.dump(10))
        let up = try #require(line.books.depth(of: line.up))
        #expect(up.isLeading)
        #expect(up.depth.side == .yes && up.depth.market == line.market.id && up.depth.asset == line.up)
        #expect(up.depth.bids == self.levels([(0.48, 30), (0.40, 12)]))
        #expect(up.depth.asks == self.levels([(0.52, 25), (0.60, 7)]))
        #expect(up.depth.tickSize == 0.01 && up.depth.exchangeTime.milliseconds == 10)
        let shown = try #require(line.snapshot)
        #expect(up.depth.sequence == shown.sequence && up.depth.epoch == shown.epoch && up.depth.trust == .live)
        #expect(up.depth.source == .line(0) && up.depth.receiveTime == shown.receiveTime && up.depth.isPublished)
        let down = try #require(line.books.depth(of: line.down)).depth
        #expect(down.side == .no)
        #expect(down.bids == self.levels([(0.48, 25), (0.40, 7)]))
        #expect(down.asks == self.levels([(0.52, 30), (0.60, 12)]))
        #expect(line.books.depth(of: "3") == nil)
    }

    @Test func theLineThatTheBoardFollowsHasTheDepth() throws {
        let (first, second) = (self.lines[0], self.lines[1])
        first.receive(first.dump(10))
        second.receive(second.dump(10))
        #expect(first.books.depth(of: first.up)?.isLeading == true)
        #expect(second.books.depth(of: first.up) == nil)
        second.receive(second.change(20, .bids, 0.49, 9, best: (0.49, 0.52)))
        #expect(first.books.depth(of: first.up) == nil)
        let offered = try #require(second.books.depth(of: first.up))
        #expect(offered.isLeading && offered.depth.bids.first == Level(price: 0.49, size: 9))
        #expect(offered.depth.source == .line(1) && offered.depth.isPublished)
        // The board keeps what the lost line had until the other has caught up: its book is not what is shown.
        second.books.connectionLost(reason: .disconnected)
        #expect(second.books.depth(of: first.up) == nil)
        let next = try #require(first.books.depth(of: first.up))
        #expect(!next.isLeading && !next.depth.isPublished && next.depth.bids.first?.price == 0.48)
        first.receive(first.change(20, .bids, 0.49, 9, best: (0.49, 0.52)))
        #expect(first.books.depth(of: first.up)?.depth.isPublished == true)
    }

    @Test func staleAndClosedMarketsHaveNone() {
        let line = self.lines[0]
        line.receive(line.dump(10))
        line.books.distrust(line.market.id, until: Timestamp(milliseconds: 30))
        #expect(line.trust?.name == "stale" && line.books.depth(of: line.up) == nil)
        line.receive(line.dump(30))
        #expect(line.books.depth(of: line.up)?.isLeading == true)
        line.books.setPhase(.resolving, of: line.market.id)
        #expect(line.books.depth(of: line.up)?.depth.trust == .resolving)
        line.books.setPhase(.closed, of: line.market.id)
        #expect(line.books.depth(of: line.up) == nil)
    }

    @Test func inTheMiddleOfABatchTheBookIsNotThePublishedOne() {
        let line = self.lines[0]
        line.receive(line.dump(10))
        line.receive(line.change(20, .bids, 0.48, 0, best: (0.47, 0.52)))
        #expect(line.books.hasHeld)
        #expect(line.books.depth(of: line.up)?.depth.isPublished == false)
        line.receive(line.change(20, .bids, 0.47, 3, best: (0.47, 0.52)))
        #expect(line.books.depth(of: line.up)?.depth.isPublished == true)
    }

    @Test func aRESTBookShowsBothTokens() throws {
        let line = self.lines[0]
        let seat = WitnessSeat(slot: self.board.add(line.market), arbiter: self.arbiter)
        let book = RESTBook(
            market: line.market.id, asset: line.up, timestamp: Timestamp(milliseconds: 5),
            bids: self.levels([(0.4, 12), (0.48, 30)]), asks: self.levels([(0.6, 7), (0.52, 25)]), tickSize: 0.001)
        let odds = try #require(RESTOdds(market: line.market, yes: book, no: nil))
        _ = seat.serve(
            yes: odds.yes, no: odds.no, exchangeTime: odds.exchangeTime,
            at: ReceiveTime(monotonic: MonotonicTime(nanoseconds: 1), unixNanoseconds: 1))
        let shown = try #require(line.snapshot)
        let up = try #require(TokenDepth(of: line.up, in: book, shown: shown))
        #expect(up.bids == self.levels([(0.48, 30), (0.40, 12)]) && up.asks == self.levels([(0.52, 25), (0.60, 7)]))
        #expect(up.isPublished && up.source == .poller && up.trust == .fallback && up.tickSize == 0.001)
        let down = try #require(TokenDepth(of: line.down, in: book, shown: shown))
        #expect(down.bids == self.levels([(0.48, 25), (0.40, 7)]))
        #expect(down.asks == self.levels([(0.52, 30), (0.60, 12)]))
        #expect(TokenDepth(of: "3", in: book, shown: shown) == nil)
        let market = try #require(self.board.slot(line.market.id))
        #expect(self.arbiter.isWitnessLeading(market))
        line.receive(line.dump(10))
        #expect(!self.arbiter.isWitnessLeading(market))
    }
}
