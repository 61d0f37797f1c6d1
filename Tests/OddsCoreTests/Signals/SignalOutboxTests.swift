import OddsCore
import OddsTestSupport
import Testing

/// One sink's signals, as transcripts: what was posted and answered, and what was to be done.
@Suite struct SignalOutboxTests {
    /// An outbox, its clock in milliseconds and a generator; short to write, so that transcripts stay readable.
    private struct Desk {
        var outbox: SignalOutbox
        var generator = SplitMix64(seed: 7)
        var attempts: [String: SignalAttempt] = [:]

        init(_ change: (inout SignalOutbox.Configuration) -> Void = { _ in }) {
            var configuration = SignalOutbox.Configuration()
            configuration.backoff.jitter = 0
            change(&configuration)
            self.outbox = SignalOutbox(sink: "test", configuration: configuration)
        }

        static func at(_ milliseconds: Int64) -> ReceiveTime {
            ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: milliseconds * 1_000_000),
                unixNanoseconds: (1_767_225_600_000 + milliseconds) * 1_000_000)
        }

        /// Posts a signal of the market that its id begins with.
        mutating func post(_ ids: String..., at time: Int64) {
            for id in ids { self.outbox.posted(.sample(id, String(id.prefix(1))), now: Desk.at(time)) }
        }

        /// What is to be done: `send a1 #1`, `wait 250`, `rest`, `finish`.
        mutating func next(_ time: Int64) -> String {
            switch self.outbox.next(now: Desk.at(time)) {
            case .send(let attempt):
                self.attempts[attempt.signal.id] = attempt
                return "send \(attempt.signal.id) #\(attempt.number)"
            case .wait(let instant): return "wait \(instant.nanoseconds / 1_000_000)"
            case .rest: return "rest"
            case .finish: return "finish"
            }
        }

        mutating func answer(
            _ id: String, _ verdict: SignalAnswer.Verdict, http: Int? = nil, exit: Int? = nil, at time: Int64
        ) {
            guard let attempt = self.attempts.removeValue(forKey: id) else {
                Issue.record("\(id) was not sent")
                return
            }
            self.outbox.answered(
                attempt, SignalAnswer(verdict, httpStatus: http, exitCode: exit), now: Desk.at(time),
                using: &self.generator)
        }

        /// What is over: `a1 delivered 1`, with the number of attempts and the error.
        mutating func over() -> [String] {
            self.outbox.takeDeliveries().map { delivery in
                "\(delivery.id) \(delivery.outcome.rawValue) \(delivery.attempts)"
                    + (delivery.error.map { ": \($0)" } ?? "")
            }
        }
    }

    private static let busy = SignalAnswer.Verdict.again(after: nil, reason: "busy")

    @Test func aSignalIsSentAtOnceAndItsDeliveryIsOnRecord() {
        var desk = Desk()
        #expect(desk.next(0) == "rest")
        desk.post("a1", at: 5)
        #expect(desk.next(7) == "send a1 #1")
        #expect(desk.next(7) == "rest")
        #expect(desk.outbox.status.underWay == 1)
        desk.answer("a1", .taken, http: 204, at: 30)
        #expect(
            desk.outbox.takeDeliveries() == [
                SignalDelivery(
                    id: "a1", kind: .spikeBegan, market: "0x-a", sink: "test", attempts: 1, outcome: .delivered,
                    httpStatus: 204, queued: Desk.at(5).wall, first: Desk.at(7).wall, last: Desk.at(30).wall)
            ])
        #expect(desk.outbox.takeDeliveries().isEmpty)
        #expect(desk.outbox.status.delivered == 1)
        #expect(desk.next(30) == "rest")
    }

    @Test func aMarketsSignalsKeepTheirOrderAndMarketsDoNotWaitForEachOther() {
        var desk = Desk()
        desk.post("a1", "a2", "b1", "b2", at: 0)
        #expect(desk.next(0) == "send a1 #1")
        #expect(desk.next(0) == "send b1 #1")
        #expect(desk.next(0) == "wait 30000")
        desk.answer("b1", .taken, at: 10)
        #expect(desk.next(10) == "send b2 #1")
        desk.answer("a1", Self.busy, at: 20)
        // a1 is tried again before a2 is tried at all.
        #expect(desk.next(20) == "wait 270")
        #expect(desk.next(270) == "send a1 #2")
        desk.answer("a1", .taken, at: 280)
        #expect(desk.next(280) == "send a2 #1")
        desk.answer("a2", .taken, at: 290)
        desk.answer("b2", .taken, at: 291)
        #expect(desk.over() == ["b1 delivered 1", "a1 delivered 2", "a2 delivered 1", "b2 delivered 1"])
    }

    @Test func noMoreAttemptsThanAllowedAreUnderWay() {
        var desk = Desk { $0.concurrency = 2 }
        desk.post("a1", "b1", "c1", at: 0)
        #expect(desk.next(0) == "send a1 #1")
        #expect(desk.next(0) == "send b1 #1")
        #expect(desk.next(0) == "wait 30000")
        desk.answer("b1", .taken, at: 1)
        #expect(desk.next(1) == "send c1 #1")
    }

    @Test func pausesGrowAndTheSignalIsGivenUpWhenNoFurtherAttemptCanBegin() {
        var desk = Desk { $0.maximumAge = .seconds(2) }
        desk.post("a1", at: 0)
        var times: [Int64] = []
        var time: Int64 = 0
        while desk.next(time) == "send a1 #\(times.count + 1)" {
            times.append(time)
            desk.answer("a1", Self.busy, http: 500, at: time)
            guard case .wait(let next) = desk.outbox.next(now: Desk.at(time)) else { break }
            time = next.nanoseconds / 1_000_000
        }
        // 250, 500, 1000 ms; the next pause of 2 s would end after the age of 2 s.
        #expect(times == [0, 250, 750, 1750])
        #expect(time == 1750)
        let over = desk.outbox.takeDeliveries()
        #expect(over.map(\.outcome) == [.failed])
        #expect(over.first?.error == "given up after 2.0 s: busy")
        #expect(over.first?.httpStatus == 500)
        #expect(over.first?.attempts == 4)
        #expect(desk.outbox.status.failed == 1)
        #expect(desk.outbox.status.retries == 3)
    }

    @Test func aPauseThatTheReceiverAsksForHoldsTheWholeSink() {
        var desk = Desk()
        desk.post("a1", "b1", at: 0)
        #expect(desk.next(0) == "send a1 #1")
        desk.answer("a1", .again(after: .seconds(3), reason: "status 429"), http: 429, at: 100)
        #expect(desk.next(100) == "wait 3100")
        #expect(desk.next(3099) == "wait 3100")
        #expect(desk.next(3100) == "send a1 #2")
        #expect(desk.next(3100) == "send b1 #1")
    }

    @Test func aPauseBeyondTheAgeIsNotWaitedFor() {
        var desk = Desk()
        desk.post("a1", at: 0)
        #expect(desk.next(0) == "send a1 #1")
        desk.answer("a1", .again(after: .seconds(60), reason: "status 429"), at: 0)
        #expect(desk.over() == ["a1 failed 1: given up after 30.0 s: status 429"])
    }

    @Test func whatIsRefusedIsNotTriedAgainAndTheNextOneGoes() {
        var desk = Desk()
        desk.post("a1", "a2", at: 0)
        #expect(desk.next(0) == "send a1 #1")
        desk.answer("a1", .refused(reason: "no"), exit: 1, at: 1)
        #expect(desk.outbox.status.problem == "no")
        #expect(desk.next(1) == "send a2 #1")
        desk.answer("a2", .taken, exit: 0, at: 2)
        #expect(desk.outbox.status.problem == nil)
        #expect(desk.over() == ["a1 failed 1: no", "a2 delivered 1"])
    }

    @Test func whatWaitsTooLongForItsTurnIsDropped() {
        var desk = Desk { $0.maximumAge = .seconds(1) }
        desk.post("a1", at: 0)
        desk.post("a2", at: 400)
        #expect(desk.next(400) == "send a1 #1")
        #expect(desk.next(500) == "wait 1400")
        #expect(desk.next(1400) == "rest")
        #expect(desk.over() == ["a2 dropped 0: given up after 1.0 s: its turn did not come"])
        // An attempt that began in time is not cut short.
        desk.answer("a1", .taken, at: 5000)
        #expect(desk.over() == ["a1 delivered 1"])
    }

    @Test func theOldestGoesWhenTooManyWait() {
        var desk = Desk { $0.capacity = 2 }
        desk.post("a1", "a2", "b1", "a3", at: 0)
        #expect(
            desk.over() == [
                "a1 dropped 0: more than 2 signals were waiting", "a2 dropped 0: more than 2 signals were waiting",
            ])
        #expect(desk.outbox.status.dropped == 2)
        #expect(desk.next(0) == "send b1 #1")
        #expect(desk.next(0) == "send a3 #1")
    }

    @Test func drainingTriesUntilTheEndAndClosingDropsTheRest() {
        var desk = Desk()
        desk.post("a1", "a2", "b1", at: 0)
        #expect(desk.next(0) == "send a1 #1")
        #expect(desk.next(0) == "send b1 #1")
        desk.outbox.drain(until: Desk.at(2000).monotonic)
        desk.answer("b1", Self.busy, at: 100)
        #expect(desk.next(100) == "wait 350")
        #expect(desk.next(350) == "send b1 #2")
        desk.answer("b1", .taken, at: 400)
        #expect(desk.next(400) == "wait 2000")
        #expect(desk.next(2000) == "finish")
        desk.outbox.close(now: Desk.at(2000))
        desk.post("c1", at: 2001)
        #expect(
            desk.over() == [
                "b1 delivered 2", "a1 dropped 1: the program ended during attempt 1; it may have arrived",
                "a2 dropped 0: the program ended", "c1 dropped 0: the program had ended",
            ])
        // An answer that comes later changes nothing.
        desk.answer("a1", .taken, at: 2002)
        #expect(desk.over().isEmpty)
    }

    @Test func drainingEndsAtOnceWhenNobodysTurnComesBefore() {
        var idle = Desk()
        idle.outbox.drain(until: Desk.at(2000).monotonic)
        #expect(idle.next(0) == "finish")

        var desk = Desk { $0.backoff = Backoff(delays: [.seconds(5)], jitter: 0) }
        desk.post("a1", at: 0)
        #expect(desk.next(0) == "send a1 #1")
        desk.outbox.drain(until: Desk.at(2000).monotonic)
        #expect(desk.next(0) == "wait 2000")
        desk.answer("a1", Self.busy, at: 10)
        #expect(desk.next(10) == "finish")
        desk.outbox.close(now: Desk.at(10))
        #expect(desk.over() == ["a1 dropped 1: the program ended"])
    }

    @Test func everySignalLeavesExactlyOneRecordWhateverHappens() {
        var outcomes: Set<SignalDelivery.Outcome> = []
        for seed in UInt64(0)..<40 {
            var random = SplitMix64(seed: seed)
            var desk = Desk {
                $0.capacity = 6
                $0.concurrency = 3
                $0.maximumAge = .seconds(4)
                $0.backoff.jitter = 0.2
            }
            var posted: [String] = []
            var firsts: [String: [String]] = [:]
            var over: [SignalDelivery] = []
            for time in Int64(0)..<400 {
                if Int.random(in: 0..<3, using: &random) == 0 {
                    let id = "\("abcd".randomElement(using: &random) ?? "a")\(posted.count)"
                    posted.append(id)
                    desk.post(id, at: time * 50)
                }
                while true {
                    let said = desk.next(time * 50)
                    guard said.hasPrefix("send ") else { break }
                    let words = said.split(separator: " ").map(String.init)
                    if words[2] == "#1" { firsts[String(words[1].prefix(1)), default: []].append(words[1]) }
                    #expect(desk.attempts.count <= 3)
                    #expect(Set(desk.attempts.keys.map { $0.prefix(1) }).count == desk.attempts.count)
                }
                for id in desk.attempts.keys.sorted() {
                    switch Int.random(in: 0..<8, using: &random) {
                    case 0, 1: desk.answer(id, .taken, at: time * 50)
                    case 2: desk.answer(id, Self.busy, at: time * 50)
                    case 3: desk.answer(id, .refused(reason: "no"), at: time * 50)
                    default: break
                    }
                }
                over += desk.outbox.takeDeliveries()
            }
            desk.outbox.close(now: Desk.at(20_000))
            over += desk.outbox.takeDeliveries()
            #expect(over.map(\.id).sorted() == posted.sorted(), "seed \(seed)")
            outcomes.formUnion(over.map(\.outcome))
            for (market, order) in firsts {
                #expect(order == posted.filter { order.contains($0) }, "\(market) \(seed)")
            }
            let status = desk.outbox.status
            #expect(status.delivered + status.failed + status.dropped == posted.count)
        }
        #expect(outcomes == Set(SignalDelivery.Outcome.allCases))
    }
}
