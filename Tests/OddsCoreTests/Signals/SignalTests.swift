import Foundation
import OddsCore
import OddsTestSupport
import Testing

@Suite struct SignalTests {
    private func json(_ value: some Encodable) throws -> [String: Any] {
        let data = try JSONEncoder().encode(value)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func snapshot() -> OddsSnapshot {
        OddsSnapshot(
            market: .sample("a"), yes: Quote(bid: 0.71, bidSize: 100, ask: 0.73, askSize: 50, lastTrade: 0.72),
            no: Quote(bid: 0.27, bidSize: 50, ask: 0.29, askSize: 100, lastTrade: nil),
            exchangeTime: Timestamp(milliseconds: 1_767_225_600_900),
            receiveTime: ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 1_767_225_600_950_000_000),
            trust: .live, epoch: 8, source: .line(0), sequence: 9)
    }

    @Test func theEnvelopeHasEveryKeyAndTheRecordInside() throws {
        let signal = Signal(
            id: "run-1", time: Timestamp(milliseconds: 1_767_225_601_000), spike: .sample("a"), odds: self.snapshot())
        let body = try self.json(signal)
        #expect(
            Set(body.keys) == [
                "version", "id", "kind", "time_ms", "market", "slug", "side", "epoch", "trust", "data", "odds",
                "microstructure",
            ])
        #expect(body["microstructure"] is NSNull)
        #expect(body["version"] as? Int == 1)
        #expect(body["id"] as? String == "run-1")
        #expect(body["kind"] as? String == "spike.began")
        #expect(body["time_ms"] as? Int == 1_767_225_601_000)
        #expect(body["market"] as? String == "0x-a")
        #expect(body["side"] as? String == "yes")
        // What was decided under an epoch carries that epoch, not the one of the odds.
        #expect(body["epoch"] as? Int == 3)
        #expect(body["trust"] as? String == "live")
        let data = try #require(body["data"] as? [String: Any])
        #expect(data["peak"] as? Double == 0.74)
        #expect(data["end_ms"] is NSNull)
        let odds = try #require(body["odds"] as? [String: Any])
        #expect(odds["yes_bid"] as? Double == 0.71)
        #expect(odds["epoch"] as? Int == 8)
    }

    @Test func itCarriesWhatTheBooksLookedLike() throws {
        let snapshot = self.snapshot()
        let books = MicrostructureMeter.Books(
            yes: BookFigures(
                bids: [Level(price: 0.71, size: 100)], asks: [Level(price: 0.73, size: 50)], tickSize: 0.01), no: nil)
        var meter = MicrostructureMeter()
        let row = MicrostructureRow(
            meter.sample(snapshot, books: books, at: snapshot.receiveTime))
        let time = Timestamp(seconds: 1_767_225_602)
        let signals = [
            Signal(id: "1", time: time, spike: .sample("a"), odds: snapshot, microstructure: row),
            Signal(id: "2", time: time, trade: .sample("a"), odds: snapshot, microstructure: row),
            Signal(id: "3", refusal: .sample("a"), odds: snapshot, microstructure: row),
        ]
        for signal in signals {
            let micro = try #require(try self.json(signal)["microstructure"] as? [String: Any])
            #expect(Set(micro.keys) == Set(MicrostructureRow.CodingKeys.allCases.map(\.rawValue)))
            let yes = try #require(micro["yes"] as? [String: Any])
            #expect(yes["midpoint"] as? Double == 0.72 && yes["bid_depth"] as? Double == 100)
            #expect(micro["no"] is NSNull && micro["epoch"] as? Int == 8)
        }
    }

    @Test func theKindFollowsFromTheRecord() {
        let time = Timestamp(seconds: 1_767_225_600)
        let ended = SpikeRecord.sample("a", end: Timestamp(seconds: 1_767_225_602))
        #expect(Signal(id: "1", time: time, spike: ended).kind == .spikeEnded)
        let kinds = TradeRecord.Status.allCases.map { Signal(id: "1", time: time, trade: .sample("a", $0)).kind }
        #expect(kinds == [.orderSubmitted, .orderFailed, .orderFailed, .orderFilled, .positionSettled])
        #expect(Signal(id: "1", refusal: .sample("a")).kind == .orderRefused)
        #expect(Signal(id: "1", refusal: .sample("a")).time == Timestamp(seconds: 1_767_225_602))
    }

    @Test func theKillSwitchHasNoMarketAndSaysSo() throws {
        let signal = Signal(id: "run-2", time: Timestamp(seconds: 1), killSwitch: true, by: "http")
        let body = try self.json(signal)
        for key in ["market", "slug", "side", "epoch", "trust", "odds", "microstructure"] {
            #expect(body[key] is NSNull, "\(key)")
        }
        #expect(body["kind"] as? String == "kill_switch")
        #expect(body["data"] as? NSDictionary == ["on": true, "by": "http"])
    }

    @Test func oddsGiveWhatARefusalDoesNotSay() {
        let signal = Signal(id: "1", refusal: .sample("a"), odds: self.snapshot())
        #expect(signal.epoch == 8)
        #expect(signal.trust == "live")
        #expect(Signal(id: "1", refusal: .sample("a")).epoch == nil)
    }

    @Test func idsOfTwoRunsDiffer() {
        var first = SignalNumbering(run: "a")
        var second = SignalNumbering(run: "b")
        #expect([first.next(), first.next(), second.next()] == ["a-1", "a-2", "b-1"])
    }

    @Test(
        arguments: [
            ("all", Set(Signal.Kind.allCases)), ("spike.began", [.spikeBegan]), ("kill_switch", [.killSwitch]),
            ("spike", [.spikeBegan, .spikeEnded]), ("position, spike.ended", [.positionSettled, .spikeEnded]),
            ("order", [.orderSubmitted, .orderFilled, .orderFailed, .orderRefused]),
        ] as [(String, Set<Signal.Kind>)])
    func kindsAreRead(list: String, kinds: Set<Signal.Kind>) throws {
        #expect(try Set(parsing: list) == kinds)
    }

    @Test(arguments: ["", "spikes", "order.", "spike.began,", ".began", "Order"])
    func aKindThatIsNoneIsNamedWithWhatIsAllowed(list: String) {
        let error = #expect(throws: SignalKindError.self) { try Set<Signal.Kind>(parsing: list) }
        #expect(error?.description.contains("spike.began") == true)
    }

    @Test func aDeliveryIsReadAsItWasWritten() throws {
        let delivery = SignalDelivery(
            id: "run-1", kind: .orderFilled, market: "0xa", sink: "command", attempts: 2, outcome: .failed, exitCode: 3,
            queued: Timestamp(milliseconds: 1), first: Timestamp(milliseconds: 2), last: Timestamp(milliseconds: 3),
            error: "no")
        let json = try self.json(delivery)
        #expect(Set(json.keys) == Set(SignalDelivery.CodingKeys.allCases.map(\.rawValue)))
        #expect(json["http_status"] is NSNull)
        #expect(json["exit_code"] as? Int == 3)
        #expect(json["kind"] as? String == "order.filled")
        let read = try JSONDecoder().decode(SignalDelivery.self, from: JSONEncoder().encode(delivery))
        #expect(read == delivery)
    }
}
