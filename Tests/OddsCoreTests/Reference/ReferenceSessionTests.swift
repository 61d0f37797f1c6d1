import OddsCore
import Testing

@Suite struct ReferenceSessionTests {
    private static let spot = ReferenceFeed(.chainlink, "btc/usd")
    private static let mean = ReferenceFeed(.twapSixty, "btc/usd")
    private static let ether = ReferenceFeed(.chainlink, "eth/usd")
    private static let binance = ReferenceFeed(.binance, "btcusdt")

    private static func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(seconds * 1_000_000_000))
    }

    private func session(_ change: (inout ReferenceSession.Limits) -> Void = { _ in }) -> ReferenceSession {
        var limits = ReferenceSession.Limits(backoff: Backoff(delays: [.zero, .seconds(1), .seconds(2)], jitter: 0))
        change(&limits)
        return ReferenceSession(limits: limits, seed: 1)
    }

    /// A session that is live since 0 and asked for these feeds.
    private func live(_ feeds: [ReferenceFeed] = [Self.spot]) -> ReferenceSession {
        var session = self.session()
        #expect(session.follow(feeds, now: Self.at(0)) == [.connect])
        _ = session.connected(now: Self.at(0))
        return session
    }

    @Test func withoutFeedsThereIsNoConnection() {
        var session = self.session()
        #expect(session.phase == .idle && session.nextDeadline == nil)
        #expect(session.follow([], now: Self.at(0)) == [])
        #expect(session.follow([Self.spot], now: Self.at(1)) == [.connect])
        #expect(session.phase == .connecting)
        #expect(session.follow([], now: Self.at(2)) == [.close])
        #expect(session.disconnected(now: Self.at(2)) == [])
        #expect(session.phase == .idle)
        #expect(session.follow([Self.spot], now: Self.at(3)) == [.connect])
        #expect(session.connected(now: Self.at(3)) == [.subscribe([Self.spot])])
        #expect(session.follow([], now: Self.at(4)) == [.close])
        #expect(session.phase == .idle)
    }

    /// A history does not say what it is of: means are asked for behind the history of their price, not together with it.
    @Test func meansWaitForTheHistoryOfTheirPrice() {
        var session = self.session()
        _ = session.follow([Self.spot, Self.mean, Self.ether], now: Self.at(0))
        #expect(session.connected(now: Self.at(0)) == [.subscribe([Self.spot, Self.ether])])
        let other = session.historyReceived(Self.ether, now: Self.at(0.1))
        #expect(other.isUsable && other.actions == [])
        let first = session.historyReceived(Self.spot, now: Self.at(0.2))
        #expect(first.isUsable && first.actions == [.subscribe([Self.mean])])
        // One more may be of the mean; that of the mean itself says so.
        #expect(!session.historyReceived(Self.spot, now: Self.at(0.3)).isUsable)
        #expect(session.historyReceived(Self.ether, now: Self.at(0.3)).isUsable)
        #expect(session.historyReceived(Self.mean, now: Self.at(0.3)).isUsable)
        #expect(!session.historyReceived(Self.binance, now: Self.at(0.3)).isUsable)
    }

    @Test func aPriceIsAsGoodAsAHistory() {
        var session = self.session()
        _ = session.follow([Self.spot, Self.mean], now: Self.at(0))
        _ = session.connected(now: Self.at(0))
        #expect(session.priceReceived(Self.spot, now: Self.at(0.5)) == [.subscribe([Self.mean])])
        #expect(session.priceReceived(Self.spot, now: Self.at(1.5)) == [])
    }

    @Test func aMeanIsNotHeldForEver() {
        var session = self.live([Self.spot, Self.mean])
        #expect(session.nextDeadline == Self.at(2))
        #expect(session.deadlineReached(now: Self.at(1.9)) == [])
        #expect(session.deadlineReached(now: Self.at(2)) == [.subscribe([Self.mean])])
    }

    @Test func whatIsFollowedChangesOnTheLiveConnection() {
        var session = self.live()
        _ = session.priceReceived(Self.spot, now: Self.at(1))
        #expect(
            session.follow([Self.spot, Self.mean, Self.binance], now: Self.at(2)) == [
                .subscribe([Self.mean, Self.binance])
            ])
        #expect(session.follow([Self.spot, Self.mean, Self.binance], now: Self.at(3)) == [])
        #expect(
            session.follow([Self.mean, Self.ether], now: Self.at(4)) == [
                .unsubscribe([Self.spot, Self.binance]), .subscribe([Self.ether]),
            ])
        #expect(session.feeds == [Self.mean, Self.ether])
    }

    @Test func theHeartbeatHasADeadline() {
        var session = self.live()
        _ = session.priceReceived(Self.spot, now: Self.at(4))
        #expect(session.nextDeadline == Self.at(5))
        #expect(session.deadlineReached(now: Self.at(5)) == [.sendPing])
        session.bytesReceived()
        _ = session.priceReceived(Self.spot, now: Self.at(9))
        #expect(session.deadlineReached(now: Self.at(10)) == [.sendPing])
        _ = session.priceReceived(Self.spot, now: Self.at(14))
        #expect(session.deadlineReached(now: Self.at(15)) == [.abandon(.mute)])
        #expect(session.disconnected(now: Self.at(15)) == [.connect])
    }

    /// The known fault of this feed: it is open and answers, and says nothing.
    @Test func aFrozenConnectionIsGivenUpThoughItAnswers() {
        var session = self.live()
        _ = session.priceReceived(Self.spot, now: Self.at(1))
        for second in [5.0, 10] {
            #expect(session.deadlineReached(now: Self.at(second)) == [.sendPing])
            session.bytesReceived()
        }
        #expect(session.nextDeadline == Self.at(11))
        #expect(session.deadlineReached(now: Self.at(11)) == [.abandon(.frozen)])
        // At once, then with growing waits: another frozen connection is no success.
        #expect(session.disconnected(now: Self.at(11)) == [.connect])
        _ = session.connected(now: Self.at(11))
        #expect(session.deadlineReached(now: Self.at(21)) == [.abandon(.frozen)])
        #expect(session.disconnected(now: Self.at(21)) == [])
        #expect(session.phase == .waiting && session.nextDeadline == Self.at(22))
        #expect(session.deadlineReached(now: Self.at(21.5)) == [])
        #expect(session.deadlineReached(now: Self.at(22)) == [.connect])
        #expect(session.disconnected(now: Self.at(22)) == [])
        #expect(session.nextDeadline == Self.at(24) && session.failures == 3)
        // Healthy again: the waits start over.
        #expect(session.deadlineReached(now: Self.at(24)) == [.connect])
        _ = session.connected(now: Self.at(24))
        _ = session.priceReceived(Self.spot, now: Self.at(25))
        #expect(session.failures == 3)
        _ = session.priceReceived(Self.spot, now: Self.at(29))
        #expect(session.failures == 0)
        #expect(session.disconnected(now: Self.at(30)) == [.connect])
    }

    @Test func aSecondOpinionIsNoSignOfLife() {
        var session = self.live([Self.spot, Self.binance])
        _ = session.priceReceived(Self.binance, now: Self.at(9))
        #expect(session.deadlineReached(now: Self.at(10)) == [.abandon(.frozen)])
        // Unless it is all there is.
        var alone = self.live([Self.binance])
        _ = alone.priceReceived(Self.binance, now: Self.at(9))
        #expect(alone.deadlineReached(now: Self.at(10)) == [.sendPing])
    }

    @Test func aSilentFeedIsAskedForAgain() {
        var session = self.live([Self.spot, Self.ether])
        for second in 1...40 {
            let now = Self.at(Double(second))
            _ = session.priceReceived(Self.spot, now: now)
            session.bytesReceived()
            let actions = session.deadlineReached(now: now).filter { $0 != .sendPing }
            #expect(actions == (second == 30 ? [.unsubscribe([Self.ether]), .subscribe([Self.ether])] : []))
        }
    }

    @Test func theVenuesWishForAWaitIsKept() {
        var session = self.session()
        _ = session.follow([Self.spot], now: Self.at(0))
        #expect(session.disconnected(now: Self.at(0), retryAfter: .seconds(7)) == [])
        #expect(session.nextDeadline == Self.at(7))
        #expect(session.follow([Self.ether], now: Self.at(1)) == [])
        #expect(session.deadlineReached(now: Self.at(7)) == [.connect])
        #expect(session.connected(now: Self.at(7)) == [.subscribe([Self.ether])])
    }

    @Test func theEndIsTheEnd() {
        var session = self.live()
        #expect(session.stop() == [.close])
        #expect(session.phase == .closed && session.nextDeadline == nil)
        #expect(session.stop() == [] && session.disconnected(now: Self.at(1)) == [])
        #expect(session.follow([Self.ether], now: Self.at(2)) == [] && session.connected(now: Self.at(2)) == [])
        #expect(session.deadlineReached(now: Self.at(99)) == [])
        #expect(session.priceReceived(Self.ether, now: Self.at(3)) == [])
        #expect(!session.historyReceived(Self.ether, now: Self.at(3)).isUsable)
    }
}
