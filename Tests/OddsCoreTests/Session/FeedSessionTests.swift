import OddsCore
import Testing

private func s(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(seconds * 1e9)) }

/// Transcripts of a connection's life.
@Suite struct FeedSessionTests {
    private let plain = FeedSession.Limits(backoff: Backoff(delays: Backoff.standard.delays, jitter: 0))

    private func fresh() -> FeedSession { FeedSession(limits: self.plain, seed: 1) }

    private func live(_ assets: [AssetID] = ["a", "b"]) -> FeedSession {
        var session = self.fresh()
        _ = session.follow(assets, now: s(0))
        _ = session.connected(now: s(0))
        for asset in assets { session.snapshotReceived(asset) }
        return session
    }

    // MARK: Following

    @Test func followingOpensAConnectionAndSubscribesOnce() {
        var session = self.fresh()
        #expect(session.phase == .idle)
        #expect(session.nextDeadline == nil)
        #expect(session.follow([], now: s(0)) == [])
        #expect(session.follow(["a", "b"], now: s(0)) == [.connect])
        #expect(session.phase == .connecting)
        #expect(session.nextDeadline == nil)
        #expect(session.connected(now: s(1)) == [.sendInitialSubscription(["a", "b"])])
        #expect(session.phase == .live)
        #expect(session.connected(now: s(1)) == [])
        #expect(session.assetCount == 2)
    }

    @Test func whatIsFollowedWhileConnectingGoesOutWithTheFirstMessage() {
        var session = self.fresh()
        #expect(session.follow(["a"], now: s(0)) == [.connect])
        #expect(session.follow(["b"], now: s(0)) == [])
        #expect(session.unfollow(["a"]) == [])
        #expect(session.connected(now: s(1)) == [.sendInitialSubscription(["b"])])
    }

    @Test func laterChangesGoOutOnTheLiveConnection() {
        var session = self.live()
        #expect(session.follow(["b", "c"], now: s(1)) == [.sendSubscribe(["c"])])
        #expect(session.follow(["c"], now: s(1)) == [])
        #expect(session.unfollow(["x"]) == [])
        #expect(session.unfollow(["a", "x"]) == [.sendUnsubscribe(["a"])])
        #expect(session.assetCount == 2)
    }

    @Test func anAssetNamedTwiceIsFollowedOnce() {
        var session = self.fresh()
        #expect(session.follow(["a", "a"], now: s(0)) == [.connect])
        #expect(session.connected(now: s(0)) == [.sendInitialSubscription(["a"])])
        #expect(session.follow(["b", "b"], now: s(0)) == [.sendSubscribe(["b"])])
        #expect(session.unfollow(["b", "b"]) == [.sendUnsubscribe(["b"])])
        #expect(session.assetCount == 1)
    }

    @Test func withoutAnythingLeftTheConnectionIsClosed() {
        var session = self.live()
        #expect(session.unfollow(["a", "b"]) == [.close])
        #expect(session.phase == .idle)
        #expect(session.nextDeadline == nil)
        #expect(session.disconnected(now: s(2)) == [])
        #expect(session.follow(["c"], now: s(3)) == [.connect])
        #expect(session.connected(now: s(3)) == [.sendInitialSubscription(["c"])])
    }

    @Test func withoutAnythingLeftAnAttemptIsGivenUp() {
        var session = self.fresh()
        _ = session.follow(["a"], now: s(0))
        #expect(session.unfollow(["a"]) == [.close])
        #expect(session.phase == .idle)
        #expect(session.connected(now: s(1)) == [])
    }

    @Test func withoutAnythingLeftNobodyWaits() {
        var session = self.fresh()
        _ = session.follow(["a"], now: s(0))
        _ = session.disconnected(now: s(0))
        #expect(session.disconnected(now: s(0)) == [])
        #expect(session.phase == .waiting)
        #expect(session.follow(["b"], now: s(0)) == [])
        #expect(session.unfollow(["a"]) == [])
        #expect(session.phase == .waiting)
        #expect(session.unfollow(["b"]) == [])
        #expect(session.phase == .idle)
        #expect(session.deadlineReached(now: s(60)) == [])
    }

    // MARK: Reconnecting

    @Test func attemptsWaitLongerAndLonger() {
        var session = self.fresh()
        var now = 0.0
        #expect(session.follow(["a"], now: s(now)) == [.connect])
        #expect(session.disconnected(now: s(now)) == [.connect])
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            #expect(session.disconnected(now: s(now)) == [])
            #expect(session.phase == .waiting)
            #expect(session.nextDeadline == s(now + Double(wait)))
            #expect(session.deadlineReached(now: s(now + Double(wait) - 0.001)) == [])
            now += Double(wait)
            #expect(session.deadlineReached(now: s(now)) == [.connect])
        }
        #expect(session.failures == 9)
    }

    @Test func jitterKeepsEveryWaitWithinAFifthBelow() {
        for seed in UInt64(0)..<50 {
            var session = FeedSession(limits: .init(), seed: seed)
            _ = session.follow(["a"], now: s(0))
            #expect(session.disconnected(now: s(0)) == [.connect])
            for nominal in [1.0, 2, 4, 8, 16, 32, 60, 60] {
                #expect(session.disconnected(now: s(0)) == [])
                let until = session.nextDeadline ?? s(-1)
                #expect(until <= s(nominal) && until >= s(nominal * 0.8))
                #expect(session.deadlineReached(now: until) == [.connect])
            }
        }
    }

    @Test func aConnectionThatOpensAndDiesIsNoSuccess() {
        var session = self.fresh()
        _ = session.follow(["a"], now: s(0))
        #expect(session.disconnected(now: s(0)) == [.connect])
        _ = session.connected(now: s(0))
        session.bytesReceived(now: s(4.9))
        session.dataReceived(now: s(4.9))
        session.snapshotReceived("a")
        #expect(session.disconnected(now: s(60)) == [])
        #expect(session.nextDeadline == s(61))
        #expect(session.failures == 2)
    }

    @Test func bytesAloneAreNoSuccess() {
        var session = self.live()
        _ = session.disconnected(now: s(0))
        _ = session.connected(now: s(0))
        session.bytesReceived(now: s(100))
        #expect(session.failures == 1)
        #expect(session.lastData == nil)
    }

    @Test func healthyDataStartsTheWaitsOver() {
        var session = self.fresh()
        _ = session.follow(["a"], now: s(0))
        _ = session.disconnected(now: s(0))
        _ = session.disconnected(now: s(0))
        _ = session.deadlineReached(now: s(1))
        _ = session.connected(now: s(1))
        session.dataReceived(now: s(5.9))
        #expect(session.failures == 2)
        session.dataReceived(now: s(6))
        #expect(session.failures == 0)
        #expect(session.lastData == s(6))
        #expect(session.disconnected(now: s(7)) == [.connect])
    }

    @Test func theVenuesOwnWishIsHonoured() {
        var session = self.fresh()
        _ = session.follow(["a"], now: s(0))
        #expect(session.disconnected(now: s(0), retryAfter: .seconds(7)) == [])
        #expect(session.nextDeadline == s(7))
        #expect(session.deadlineReached(now: s(7)) == [.connect])
        #expect(session.disconnected(now: s(7), retryAfter: .milliseconds(1)) == [])
        #expect(session.nextDeadline == s(8))
        _ = session.deadlineReached(now: s(8))
        #expect(session.disconnected(now: s(8), retryAfter: .seconds(Int64.max)) == [])
        #expect(session.phase == .waiting)
    }

    @Test func aSignOfLifeElsewhereCutsTheWait() {
        var session = self.live()
        for _ in 0..<6 {
            _ = session.disconnected(now: s(10))
            _ = session.deadlineReached(now: s(100))
        }
        _ = session.disconnected(now: s(100))
        #expect(session.nextDeadline == s(132))
        #expect(session.hurry(.seconds(2), now: s(101)) == [])
        #expect(session.nextDeadline == s(103))
        _ = session.hurry(.seconds(60), now: s(101))
        #expect(session.nextDeadline == s(103), "never made longer")
        #expect(session.deadlineReached(now: s(103)) == [.connect])
        #expect(session.hurry(.zero, now: s(103)) == [], "nothing waits")
    }

    @Test func aLongRefusalIsHurriedLess() {
        var session = self.live()
        var waits: [Double] = []
        for failure in 1...100 {
            _ = session.disconnected(now: s(1000))
            _ = session.hurry(.seconds(2), now: s(1000))
            if [2, 40, 100].contains(failure), let next = session.nextDeadline {
                waits.append(s(1000).duration(to: next).secondsValue)
            }
            _ = session.deadlineReached(now: s(2000))
        }
        #expect(waits == [1, 6, 16])
    }

    @Test func theVenuesWishIsNotHurried() {
        var session = self.live()
        _ = session.disconnected(now: s(10), retryAfter: .seconds(30))
        _ = session.hurry(.zero, now: s(11))
        #expect(session.nextDeadline == s(40))
    }

    @Test func aYoungConnectionIsNotGivenUpForAFrozenMarket() {
        var session = self.live()
        #expect(session.giveUp("0xm", now: s(2)) == [])
        #expect(session.giveUp("0xm", now: s(3)) == [.abandon(.frozen("0xm"))])
        _ = session.disconnected(now: s(3))
        #expect(session.giveUp("0xm", now: s(9)) == [], "there is none to give up")
    }

    @Test func aRetryAfterIsKeptForFiveMinutesAtMost() {
        var session = FeedSession(limits: FeedSession.Limits(), seed: 1)
        _ = session.follow(["a"], now: MonotonicTime(nanoseconds: 0))
        _ = session.disconnected(now: MonotonicTime(nanoseconds: 0), retryAfter: .seconds(86_400))
        #expect(session.nextDeadline == MonotonicTime(nanoseconds: 300_000_000_000))
    }

    @Test func aNewConnectionExpectsEveryBookAgain() {
        var session = self.live()
        #expect(session.disconnected(now: s(1)) == [.connect])
        #expect(session.connected(now: s(1)) == [.sendInitialSubscription(["a", "b"])])
        #expect(session.nextDeadline == s(4))
    }

    // MARK: Heartbeat

    @Test func theHeartbeatIsSentAndAnswered() {
        var session = self.live()
        #expect(session.nextDeadline == s(5))
        #expect(session.deadlineReached(now: s(4.9)) == [])
        #expect(session.deadlineReached(now: s(5)) == [.sendPing])
        #expect(session.nextDeadline == s(10))
        session.bytesReceived(now: s(5.1))
        #expect(session.deadlineReached(now: s(10)) == [.sendPing])
        session.bytesReceived(now: s(10.1))
        #expect(session.deadlineReached(now: s(15)) == [.sendPing])
    }

    @Test func aMuteConnectionIsGivenUp() {
        var session = self.live()
        session.bytesReceived(now: s(4))
        #expect(session.deadlineReached(now: s(5)) == [.sendPing])
        #expect(session.deadlineReached(now: s(9.9)) == [])
        #expect(session.deadlineReached(now: s(10)) == [.abandon(.mute)])
        #expect(session.disconnected(now: s(10)) == [.connect])
    }

    // MARK: First books

    @Test func aBookThatDoesNotComeIsAskedForTwiceThenANewConnectionIsMade() {
        var session = self.fresh()
        _ = session.follow(["a", "b"], now: s(0))
        _ = session.connected(now: s(0))
        session.snapshotReceived("b")
        #expect(session.nextDeadline == s(3))
        #expect(session.deadlineReached(now: s(3)) == [.sendUnsubscribe(["a"]), .sendSubscribe(["a"])])
        session.bytesReceived(now: s(5.5))
        #expect(session.deadlineReached(now: s(5)) == [.sendPing])
        session.bytesReceived(now: s(5.5))
        #expect(session.deadlineReached(now: s(6)) == [.sendUnsubscribe(["a"]), .sendSubscribe(["a"])])
        #expect(session.deadlineReached(now: s(9)) == [.abandon(.noSnapshot("a"))])
        _ = session.disconnected(now: s(9))
        #expect(session.connected(now: s(9)) == [.sendInitialSubscription(["a", "b"])])
    }

    /// The deadlines of one session without any heartbeat, until `end`; what was done, with its time.
    private func run(_ session: inout FeedSession, until end: MonotonicTime) -> [String] {
        var log: [String] = []
        while let next = session.nextDeadline, next <= end {
            session.bytesReceived(now: MonotonicTime(nanoseconds: next.nanoseconds - 1))
            for action in session.deadlineReached(now: next) where action != .sendPing {
                log.append("\(next.nanoseconds / 1_000_000_000) \(action)")
                if case .abandon = action {
                    _ = session.disconnected(now: next)
                    if session.phase == .connecting { _ = session.connected(now: next) }
                } else if action == .connect {
                    _ = session.connected(now: next)
                }
            }
        }
        return log
    }

    @Test func anAssetThatNeverAnswersCostsOneReconnectAndIsAskedForWithPatienceThen() {
        var session = self.fresh()
        _ = session.follow(["a"], now: s(0))
        _ = session.connected(now: s(0))
        let log = self.run(&session, until: s(100))
        #expect(log.filter { $0.contains("abandon") }.count == 1)
        #expect(
            log.filter { $0.contains("sendSubscribe") }.map { $0.prefix { $0 != " " } } == [
                "3", "6", "12", "15", "18", "48", "78",
            ])
    }

    @Test func severalAssetsThatNeverAnswerCostOneReconnectTogether() {
        var session = self.fresh()
        _ = session.follow(["a", "b", "c"], now: s(0))
        _ = session.connected(now: s(0))
        let log = self.run(&session, until: s(300))
        #expect(log.filter { $0.contains("abandon") }.count == 1)
    }

    @Test func anAssetThatAnswersIsNoLongerInDisgrace() {
        var session = self.fresh()
        _ = session.follow(["a"], now: s(0))
        _ = session.connected(now: s(0))
        #expect(self.run(&session, until: s(10)).contains { $0.contains("abandon") })
        session.snapshotReceived("a")
        #expect(session.resync(["a"], now: s(20)) == [.sendUnsubscribe(["a"]), .sendSubscribe(["a"])])
        #expect(self.run(&session, until: s(30)).contains { $0.contains("abandon") })
    }

    @Test func aFreshBookIsAskedForOnce() {
        var session = self.live()
        #expect(session.resync(["a"], now: s(1)) == [.sendUnsubscribe(["a"]), .sendSubscribe(["a"])])
        #expect(session.resync(["a"], now: s(2)) == [])
        #expect(session.resync(["x"], now: s(2)) == [])
        #expect(session.nextDeadline == s(4))
        session.snapshotReceived("a")
        #expect(session.nextDeadline == s(5))
        #expect(session.resync(["a"], now: s(2)).count == 2)
    }

    @Test func aFreshBookIsNotAskedForWithoutAConnection() {
        var session = self.fresh()
        _ = session.follow(["a"], now: s(0))
        #expect(session.resync(["a"], now: s(0)) == [])
        _ = session.disconnected(now: s(0))
        _ = session.disconnected(now: s(0))
        #expect(session.resync(["a"], now: s(0)) == [])
    }

    @Test func anAssetThatIsUnfollowedIsNotWaitedFor() {
        var session = self.fresh()
        _ = session.follow(["a", "b"], now: s(0))
        _ = session.connected(now: s(0))
        session.snapshotReceived("b")
        #expect(session.unfollow(["a"]) == [.sendUnsubscribe(["a"])])
        #expect(session.nextDeadline == s(5))
    }

    // MARK: The end

    @Test func stoppingClosesWhateverIsOpen() {
        var idle = self.fresh()
        #expect(idle.stop() == [])
        #expect(idle.phase == .closed)
        var connecting = self.fresh()
        _ = connecting.follow(["a"], now: s(0))
        #expect(connecting.stop() == [.close])
        var live = self.live()
        #expect(live.stop() == [.close])
        #expect(live.stop() == [])
        var waiting = self.fresh()
        _ = waiting.follow(["a"], now: s(0))
        _ = waiting.disconnected(now: s(0))
        _ = waiting.disconnected(now: s(0))
        #expect(waiting.stop() == [])
        for var session in [idle, connecting, live, waiting] {
            #expect(session.follow(["z"], now: s(1)) == [])
            #expect(session.unfollow(["z"]) == [])
            #expect(session.connected(now: s(1)) == [])
            #expect(session.disconnected(now: s(1)) == [])
            #expect(session.deadlineReached(now: s(1)) == [])
            #expect(session.resync(["z"], now: s(1)) == [])
            #expect(session.nextDeadline == nil)
            session.bytesReceived(now: s(1))
            session.dataReceived(now: s(1))
            session.snapshotReceived("z")
            #expect(session.phase == .closed)
        }
    }

    @Test func reasonsAreSentences() {
        #expect(FeedSession.Reason.mute.description.contains("PING"))
        #expect(FeedSession.Reason.noSnapshot("77").description.contains("77"))
    }
}
