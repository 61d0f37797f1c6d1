import OddsCore
import Testing

@testable import PolymarketSimulator

@Suite struct MarketChannelSessionTests {
    private static func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    private func session() -> MarketChannelSession { MarketChannelSession(now: Self.at(0), idleLimit: .seconds(2)) }

    private func say(
        _ text: String, to session: inout MarketChannelSession, at seconds: Int64 = 0
    ) -> MarketChannelSession.Reply {
        session.received(Array(text.utf8), now: Self.at(seconds))
    }

    @Test func aConnectionBeginsWithADeadlineAndLosesItBySubscribing() {
        var session = self.session()
        #expect(session.deadline == Self.at(2))
        #expect(self.say("PING", to: &session) == .text("PONG"))
        #expect(session.deadline == Self.at(2))
        let reply = self.say(#"{"assets_ids":["2","1","2"],"type":"MARKET"}"#, to: &session)
        #expect(reply == .subscribed(["2", "1"], dump: true))
        #expect(session.deadline == nil)
        #expect(!session.wantsCustomEvents)
    }

    @Test func anEmptySubscriptionStartsTheDeadlineAgainAndAnOperationLiftsIt() {
        var session = self.session()
        #expect(self.say(#"{"type":"market","assets_ids":[]}"#, to: &session, at: 1) == .none)
        #expect(session.deadline == Self.at(3))
        #expect(
            self.say(#"{"operation":"subscribe","assets_ids":["1"]}"#, to: &session, at: 2)
                == .subscribed(["1"], dump: true))
        #expect(session.deadline == nil)
    }

    @Test func theInitialMessageIsTakenOnce() {
        var session = self.session()
        _ = self.say(#"{"type":"market","assets_ids":["1"]}"#, to: &session)
        #expect(self.say(#"{"type":"market","assets_ids":["2"]}"#, to: &session) == .text("INVALID OPERATION"))
        #expect(session.assets == ["1"])
    }

    @Test func operationsNameWhatChanges() {
        var session = self.session()
        _ = self.say(#"{"type":"market","assets_ids":["1","2"]}"#, to: &session)
        #expect(self.say(#"{"operation":"unsubscribe","assets_ids":["2","3"]}"#, to: &session) == .unsubscribed(["2"]))
        #expect(self.say(#"{"operation":"unsubscribe","assets_ids":["3"]}"#, to: &session) == .none)
        #expect(
            self.say(#"{"operation":"subscribe","assets_ids":["1","2"]}"#, to: &session)
                == .subscribed(["2"], dump: true))
        #expect(self.say(#"{"operation":"subscribe","assets_ids":["1"]}"#, to: &session) == .none)
        #expect(
            self.say(#"{"operation":"subscribe","assets_ids":["1"],"custom_feature_enabled":true}"#, to: &session)
                == .text("NO NEW ASSETS"))
        #expect(session.wantsCustomEvents)
    }

    @Test func theDumpCanBeDeclinedAndEndsBeyondTheLimit() {
        var declining = self.session()
        #expect(
            self.say(#"{"type":"market","assets_ids":["1"],"initial_dump":false}"#, to: &declining)
                == .subscribed(["1"], dump: false))
        var large = self.session()
        let names = (1...500).map { "\"\($0)\"" }.joined(separator: ",")
        guard case .subscribed(_, dump: true) = self.say(#"{"type":"market","assets_ids":[\#(names)]}"#, to: &large)
        else {
            Issue.record("500 assets get their books")
            return
        }
        #expect(
            self.say(#"{"operation":"subscribe","assets_ids":["501"]}"#, to: &large)
                == .subscribed(["501"], dump: false))
    }

    @Test(arguments: ["", "ping", "[1]", "{", #"{"operation":"dance"}"#])
    func whatIsNoOperationIsCalledSo(_ text: String) {
        var session = self.session()
        #expect(self.say(text, to: &session) == .text("INVALID OPERATION"))
    }

    @Test(arguments: [
        #"{"action":"subscribe","subscriptions":[{"topic":"market","assets_ids":["1"]}]}"#,
        #"{"type":"user","assets_ids":["1"]}"#, #"{"type":"market","assets_ids":"1"}"#, "{}",
    ])
    func anotherEnvelopeSubscribesToNothing(_ text: String) {
        var session = self.session()
        #expect(self.say(text, to: &session) == .none)
        #expect(session.assets.isEmpty)
        #expect(session.deadline != nil)
    }
}
