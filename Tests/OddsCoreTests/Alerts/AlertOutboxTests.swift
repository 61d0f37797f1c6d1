import OddsCore
import Testing

/// One destination's alerts, as transcripts: what was posted and answered, and what was to be done.
@Suite struct AlertOutboxTests {
    /// An outbox, its clock in milliseconds and a generator; short to write, so that transcripts stay readable.
    private struct Desk {
        var outbox: AlertOutbox
        var generator = SplitMix64(seed: 7)

        init(_ change: (inout AlertOutbox.Configuration) -> Void = { _ in }) {
            var configuration = AlertOutbox.Configuration()
            configuration.backoff.jitter = 0
            change(&configuration)
            self.outbox = AlertOutbox(configuration: configuration)
        }

        mutating func post(_ alerts: Alert..., at time: Int64) {
            for alert in alerts { self.outbox.posted(alert, now: AlertOutboxTests.at(time)) }
        }

        mutating func next(_ time: Int64) -> AlertOutbox.Action { self.outbox.next(now: AlertOutboxTests.at(time)) }

        mutating func answer(_ outcome: AlertOutcome, at time: Int64) -> AlertOutbox.Report? {
            self.outbox.answered(outcome, now: AlertOutboxTests.at(time), using: &self.generator)
        }

        /// Sends what is due, has it accepted, and returns it; nil when nothing is due.
        mutating func deliver(_ time: Int64, id: String? = nil) -> AlertMessage? {
            guard case .send(let message) = self.next(time) else { return nil }
            _ = self.answer(.accepted(messageID: id ?? "m\(message.serial)"), at: time)
            return message
        }
    }

    private static func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    private static func alert(
        _ incident: String, _ title: String = "down", _ kind: Alert.Kind = .stale, _ severity: Alert.Severity = .warning
    ) -> Alert {
        Alert(
            severity: severity, kind: kind, incident: .init(incident), title: title, text: "",
            time: Timestamp(seconds: 1_767_225_600))
    }

    private func alert(
        _ incident: String, _ title: String = "down", _ kind: Alert.Kind = .stale, _ severity: Alert.Severity = .warning
    ) -> Alert { Self.alert(incident, title, kind, severity) }

    // MARK: Giving up

    @Test func whatCannotBeDeliveredForTooLongIsGivenUpAndSaidOnce() {
        var desk = Desk {
            $0.lifetime = .seconds(100)
            $0.backoff = Backoff(delays: [.seconds(30)], jitter: 0)
        }
        let down = AlertOutcome.failed(reason: "status 502", mayHaveArrived: true)
        desk.post(self.alert("a"), at: 0)
        desk.post(self.alert("b"), at: 50_000)
        var reports: [AlertOutbox.Report] = []
        for time in [1000, 31_000, 61_000, 91_000, 121_000] as [Int64] {
            guard case .send(let message) = desk.next(time) else {
                Issue.record("nothing is sent at \(time)")
                return
            }
            #expect(message.alerts.map(\.incident.rawValue) == ["a"])
            if let report = desk.answer(down, at: time) { reports.append(report) }
        }
        #expect(reports == [.delayed(reason: "status 502"), .expired(reason: "status 502")])
        #expect(desk.outbox.status.expired == 1)
        // The next one is younger and has its own time; giving it up is not news any more.
        for time in [122_000, 152_000] as [Int64] {
            guard case .send(let message) = desk.next(time) else {
                Issue.record("nothing is sent at \(time)")
                return
            }
            #expect(message.alerts.map(\.incident.rawValue) == ["b"])
            #expect(desk.answer(down, at: time) == nil)
        }
        #expect(desk.outbox.status.expired == 2)
        #expect(desk.outbox.status.waiting == 0)
        // What was given up was not heard: it can be told again, and getting through is news.
        desk.post(self.alert("a"), at: 160_000)
        guard case .send = desk.next(161_000) else {
            Issue.record("nothing is sent")
            return
        }
        #expect(desk.answer(.accepted(messageID: "1"), at: 161_000) == .recovered)
    }

    @Test func whatWaitedBehindItForAsLongGoesToo() {
        var desk = Desk { $0.lifetime = .seconds(100) }
        desk.post(self.alert("a"), at: 0)
        guard case .send = desk.next(1000) else {
            Issue.record("nothing is sent")
            return
        }
        desk.post(self.alert("b"), at: 1000)
        desk.post(self.alert("c"), at: 90_000)
        #expect(desk.answer(.postponed(.seconds(100)), at: 100_500) == .expired(reason: "too many requests"))
        #expect(desk.outbox.status.expired == 1)
        #expect(desk.outbox.status.waiting == 2)
    }

    // MARK: Gathering and pace

    @Test func anAlertWaitsForOthersAndGoesOut() {
        var desk = Desk()
        #expect(desk.next(0) == .rest)
        let a = self.alert("a")
        desk.post(a, at: 0)
        #expect(desk.next(0) == .wait(until: Self.at(1000)))
        #expect(desk.next(999) == .wait(until: Self.at(1000)))
        #expect(desk.next(1000) == .send(AlertMessage(serial: 1, alerts: [a])))
        #expect(desk.next(1000) == .rest)
        #expect(desk.outbox.status.waiting == 1)
        #expect(desk.answer(.accepted(messageID: "m1"), at: 1200) == nil)
        #expect(desk.next(1200) == .rest)
        #expect(desk.outbox.status.delivered == 1)
        #expect(desk.outbox.status.waiting == 0)
    }

    @Test func messagesKeepTheirPace() {
        var desk = Desk()
        let (a, b) = (self.alert("a"), self.alert("b"))
        desk.post(a, b, at: 0)
        #expect(desk.next(1000) == .send(AlertMessage(serial: 1, alerts: [a])))
        #expect(desk.answer(.accepted(messageID: "m1"), at: 1500) == nil)
        #expect(desk.next(1500) == .wait(until: Self.at(2500)))
        #expect(desk.next(2500) == .send(AlertMessage(serial: 2, alerts: [b])))
    }

    @Test func oneIncidentsAlertsShareAMessage() {
        var desk = Desk()
        let (a, b, a2) = (self.alert("a"), self.alert("a", "worse"), self.alert("b"))
        desk.post(a, b, a2, at: 0)
        #expect(desk.deliver(1000)?.alerts == [a, b])
        #expect(desk.deliver(2000)?.alerts == [a2])
    }

    @Test func manyIncidentsShareAMessageUpToItsSize() {
        var desk = Desk { $0.mergeAtMost = 4 }
        let storm = (0..<6).map { self.alert("i\($0)") }
        for alert in storm { desk.post(alert, at: 0) }
        #expect(desk.deliver(1000) == AlertMessage(serial: 1, alerts: Array(storm[..<4])))
        // Two are left, fewer than share a message.
        #expect(desk.deliver(2000)?.alerts == [storm[4]])
        #expect(desk.deliver(3000)?.alerts == [storm[5]])
        #expect(desk.outbox.status.messages == 3)
        #expect(desk.outbox.status.delivered == 6)
    }

    // MARK: Threads

    @Test func laterMessagesReplyToTheFirst() {
        var desk = Desk()
        desk.post(self.alert("a"), at: 0)
        #expect(desk.deliver(1000, id: "100")?.replyTo == nil)
        desk.post(self.alert("b"), at: 2000)
        #expect(desk.deliver(3000, id: "101")?.replyTo == nil)
        desk.post(self.alert("a", "worse"), at: 4000)
        #expect(desk.deliver(5000, id: "102")?.replyTo == "100")
        desk.post(self.alert("a", "over", .recovery), at: 6000)
        #expect(desk.deliver(7000, id: "103")?.replyTo == "100")
        desk.post(self.alert("b", "over", .recovery), at: 8000)
        #expect(desk.deliver(9000, id: "104")?.replyTo == "101")
    }

    @Test func afterARecoveryAThreadBeginsAnew() {
        var desk = Desk()
        desk.post(self.alert("a"), at: 0)
        _ = desk.deliver(1000)
        desk.post(self.alert("a", "over", .recovery), at: 2000)
        #expect(desk.deliver(3000)?.replyTo == "m1")
        desk.post(self.alert("a"), at: 4000)
        #expect(desk.deliver(5000)?.replyTo == nil)
        desk.post(self.alert("a", "worse"), at: 6000)
        #expect(desk.deliver(7000)?.replyTo == "m3")
    }

    @Test func aStormsRecoveryRepliesToTheStorm() {
        var desk = Desk()
        for name in ["a", "b", "c"] { desk.post(self.alert(name), at: 0) }
        #expect(desk.deliver(1000, id: "7")?.alerts.count == 3)
        for name in ["c", "a", "b"] { desk.post(self.alert(name, "over", .recovery), at: 2000) }
        let over = desk.deliver(3000)
        #expect(over?.alerts.map(\.incident.rawValue) == ["c", "a", "b"])
        #expect(over?.replyTo == "7")
    }

    @Test func aDestinationWithoutMessageIDsHasNoThreads() {
        var desk = Desk()
        desk.post(self.alert("a"), at: 0)
        _ = desk.next(1000)
        _ = desk.answer(.accepted(messageID: nil), at: 1000)
        desk.post(self.alert("a", "worse"), at: 2000)
        #expect(desk.deliver(3000)?.replyTo == nil)
    }

    @Test func forgottenIncidentsBeginAnew() {
        var desk = Desk {
            $0.incidents = 2
            $0.capacity = 1
            $0.mergeAtMost = 1
        }
        for (index, name) in ["a", "b", "c"].enumerated() {
            desk.post(self.alert(name), at: Int64(index) * 2000)
            _ = desk.deliver(Int64(index) * 2000 + 1000)
        }
        desk.post(self.alert("c", "worse"), at: 7000)
        #expect(desk.deliver(8000)?.replyTo == "m3")
        desk.post(self.alert("a", "worse"), at: 9000)
        #expect(desk.deliver(10_000)?.replyTo == nil)
    }

    // MARK: Repetition

    @Test func whatWasSaidLastIsNotSaidAgain() {
        var desk = Desk()
        var later = self.alert("a")
        later.time = later.time.advanced(by: .seconds(60))
        desk.post(self.alert("a"), self.alert("b"), later, at: 0)
        #expect(desk.outbox.status.waiting == 2)
        #expect(desk.deliver(1000) != nil)
        #expect(desk.deliver(2000) != nil)
        desk.post(later, at: 3000)
        #expect(desk.next(9000) == .rest)
        #expect(desk.outbox.status.repeated == 2)
        let over = self.alert("a", "over", .recovery)
        desk.post(over, at: 9000)
        #expect(desk.deliver(10_000)?.alerts == [over])
        desk.post(over, at: 11_000)
        #expect(desk.next(20_000) == .rest)
        desk.post(later, at: 20_000)
        #expect(desk.deliver(21_000)?.alerts == [later])
    }

    // MARK: Failures

    @Test func failuresAreTriedAgainWithGrowingPausesAndSaidOnce() {
        var desk = Desk()
        let a = self.alert("a")
        desk.post(a, at: 0)
        #expect(desk.next(1000) == .send(AlertMessage(serial: 1, alerts: [a])))
        let refused = AlertOutcome.failed(reason: "no connection", mayHaveArrived: false)
        #expect(desk.answer(refused, at: 1000) == .delayed(reason: "no connection"))
        #expect(desk.next(1000) == .wait(until: Self.at(2000)))
        var time: Int64 = 2000
        for (attempt, pause) in [2, 4, 8, 16, 32, 60, 60].enumerated() {
            #expect(desk.next(time) == .send(AlertMessage(serial: 1, alerts: [a], attempt: attempt + 2)))
            #expect(desk.answer(refused, at: time) == nil)
            #expect(desk.next(time) == .wait(until: Self.at(time + Int64(pause) * 1000)))
            time += Int64(pause) * 1000
        }
        #expect(desk.outbox.status.problem == "no connection")
        #expect(desk.next(time) == .send(AlertMessage(serial: 1, alerts: [a], attempt: 9)))
        #expect(desk.answer(.accepted(messageID: "1"), at: time) == .recovered)
        #expect(desk.outbox.status.problem == nil)
        #expect(desk.outbox.status.retries == 8)
        // The next trouble begins with the shortest pause and is said again.
        desk.post(self.alert("b"), at: time)
        _ = desk.next(time + 1000)
        #expect(desk.answer(refused, at: time + 1000) == .delayed(reason: "no connection"))
        #expect(desk.next(time + 1000) == .wait(until: Self.at(time + 2000)))
    }

    @Test func jitterOnlyShortensAPause() {
        var desk = Desk { $0.backoff.jitter = 0.2 }
        desk.post(self.alert("a"), at: 0)
        _ = desk.next(1000)
        _ = desk.answer(.failed(reason: "x", mayHaveArrived: false), at: 1000)
        guard case .wait(let instant) = desk.next(1000) else {
            Issue.record("a failed message waits")
            return
        }
        #expect(instant >= Self.at(1800) && instant <= Self.at(2000))
    }

    @Test func aMessageThatMayHaveArrivedKeepsItsContentAndSaysSo() {
        var desk = Desk()
        let (a, worse) = (self.alert("a"), self.alert("a", "worse"))
        desk.post(a, at: 0)
        _ = desk.next(1000)
        desk.post(worse, at: 1500)
        _ = desk.answer(.failed(reason: "silence", mayHaveArrived: true), at: 2000)
        #expect(desk.next(3000) == .send(AlertMessage(serial: 1, alerts: [a], attempt: 2, mayRepeat: true)))
        _ = desk.answer(.failed(reason: "no connection", mayHaveArrived: false), at: 3000)
        #expect(desk.next(5000) == .send(AlertMessage(serial: 1, alerts: [a], attempt: 3, mayRepeat: true)))
        _ = desk.answer(.accepted(messageID: "9"), at: 5000)
        #expect(desk.next(6000) == .send(AlertMessage(serial: 2, alerts: [worse], replyTo: "9")))
    }

    @Test func aPauseTheDestinationNamesIsObeyedToTheLetter() {
        var desk = Desk()
        desk.post(self.alert("a"), at: 0)
        _ = desk.next(1000)
        #expect(desk.answer(.postponed(.seconds(37)), at: 1200) == .delayed(reason: "too many requests"))
        desk.post(self.alert("b"), at: 1300)
        #expect(desk.next(1300) == .wait(until: Self.at(38_200)))
        #expect(desk.next(38_199) == .wait(until: Self.at(38_200)))
        guard case .send(let message) = desk.next(38_200) else {
            Issue.record("the message is due")
            return
        }
        #expect(message.alerts == [self.alert("a")])
        #expect(message.attempt == 2)
        #expect(!message.mayRepeat)
        #expect(desk.answer(.postponed(nil), at: 38_200) == nil)
        #expect(desk.next(38_200) == .wait(until: Self.at(39_200)))
    }

    @Test func refusalsAreSaidOnceAndHoldNothingUp() {
        var desk = Desk()
        let blocked = AlertOutcome.refused(reason: "blocked")
        for index in 0..<3 {
            desk.post(self.alert("i\(index)"), at: Int64(index) * 2000)
            guard case .send = desk.next(Int64(index) * 2000 + 1000) else {
                Issue.record("each is tried once")
                return
            }
            let report = desk.answer(blocked, at: Int64(index) * 2000 + 1000)
            #expect(report == (index == 0 ? .refused(reason: "blocked") : nil))
        }
        #expect(desk.outbox.status.refused == 3)
        #expect(desk.outbox.status.waiting == 0)
        #expect(desk.outbox.status.problem == "blocked")
        // What was refused was not heard: told again, it is tried again.
        desk.post(self.alert("i2"), at: 9000)
        guard case .send = desk.next(10_000) else {
            Issue.record("told again, tried again")
            return
        }
        #expect(desk.answer(.accepted(messageID: "1"), at: 10_000) == .recovered)
        desk.post(self.alert("j"), at: 11_000)
        _ = desk.next(12_000)
        #expect(desk.answer(blocked, at: 12_000) == .refused(reason: "blocked"))
    }

    @Test func refusalsInEverNewWordsAreQuotedAFewTimes() {
        var desk = Desk()
        var reports = 0
        for index in 0..<50 {
            let time = Int64(index) * 2000
            desk.post(self.alert("i\(index)"), at: time)
            _ = desk.next(time + 1000)
            if desk.answer(.refused(reason: "no \(index)"), at: time + 1000) != nil { reports += 1 }
        }
        #expect(reports == 8)
    }

    // MARK: Bounds

    @Test func aFullQueueKeepsTheNewestOfEachIncident() {
        var desk = Desk { $0.capacity = 3 }
        desk.post(self.alert("a"), self.alert("b"), self.alert("a", "worse"), at: 0)
        desk.post(self.alert("a", "over", .recovery), at: 0)
        #expect(desk.outbox.status.dropped == 1)
        desk.post(self.alert("c"), at: 0)
        #expect(desk.outbox.status.dropped == 2)
        let message = desk.deliver(1000)
        #expect(message?.alerts.map { "\($0.incident) \($0.title)" } == ["b down", "a over", "c down"])
        #expect(message?.leftOut == 2)
        desk.post(self.alert("b", "worse"), at: 2000)
        #expect(desk.deliver(3000)?.leftOut == 0)
    }

    @Test func whenAllAreNewestTheLeastSevereGoesFirst() {
        var desk = Desk { $0.capacity = 3 }
        desk.post(
            self.alert("a", "down", .stale, .critical), self.alert("b"), self.alert("c"), self.alert("d"), at: 0)
        #expect(desk.outbox.status.dropped == 1)
        // It was not heard, so it is news when it is told again; the next least severe one makes room.
        desk.post(self.alert("b"), at: 0)
        #expect(desk.outbox.status.repeated == 0)
        #expect(desk.deliver(1000)?.alerts.map(\.incident.rawValue) == ["a", "d", "b"])
    }

    @Test func nothingGrowsWithTheNumberOfAlerts() {
        var desk = Desk { $0.capacity = 8 }
        desk.post(self.alert("first"), at: 0)
        _ = desk.next(1000)
        for index in 0..<10_000 { desk.post(self.alert("i\(index)", "\(index)"), at: 2000) }
        #expect(desk.outbox.status.waiting == 9)
        #expect(desk.outbox.status.dropped == 9992)
    }

    // MARK: The end

    @Test func drainingNeitherGathersNorPaces() {
        var desk = Desk { $0.mergeAtMost = 2 }
        desk.post(self.alert("a"), self.alert("b"), self.alert("c"), at: 0)
        desk.outbox.drain(until: Self.at(1100), now: Self.at(100))
        #expect(desk.deliver(100)?.alerts.count == 2)
        #expect(desk.deliver(100)?.alerts.count == 1)
        #expect(desk.next(100) == .finish)
    }

    @Test func drainingTriesWhatFailedOnceMoreAtOnce() {
        var desk = Desk()
        desk.post(self.alert("a"), at: 0)
        _ = desk.next(1000)
        _ = desk.answer(.failed(reason: "x", mayHaveArrived: false), at: 1000)
        desk.outbox.drain(until: Self.at(2100), now: Self.at(1100))
        guard case .send = desk.next(1100) else {
            Issue.record("tried at once")
            return
        }
        _ = desk.answer(.failed(reason: "x", mayHaveArrived: false), at: 1100)
        // The next pause of 2 s goes beyond the end.
        #expect(desk.next(1100) == .finish)
        #expect(desk.outbox.status.waiting == 1)
    }

    @Test func drainingObeysAPauseTheDestinationNamed() {
        var desk = Desk()
        desk.post(self.alert("a"), at: 0)
        _ = desk.next(1000)
        _ = desk.answer(.postponed(.milliseconds(500)), at: 1000)
        desk.outbox.drain(until: Self.at(2100), now: Self.at(1100))
        #expect(desk.next(1100) == .wait(until: Self.at(1500)))
        #expect(desk.deliver(1500) != nil)
        #expect(desk.next(1500) == .finish)
    }

    @Test func drainingWaitsForTheAnswerUnderWay() {
        var desk = Desk()
        desk.post(self.alert("a"), at: 0)
        _ = desk.next(1000)
        desk.outbox.drain(until: Self.at(2100), now: Self.at(1100))
        #expect(desk.next(1100) == .rest)
        _ = desk.answer(.accepted(messageID: nil), at: 1200)
        #expect(desk.next(1200) == .finish)
    }

    // MARK: Everything at once

    /// Random alerts and outcomes: per incident the order is kept, nothing is said twice in a row, and the newest state of
    /// every incident arrives.
    @Test(arguments: 0..<200)
    func randomTroubleNeverLosesTheLastWord(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var desk = Desk {
            $0.capacity = 8
            $0.mergeAtMost = 5
        }
        var time: Int64 = 0
        var last: [Alert.IncidentKey: Alert] = [:]
        var heard: [Alert] = []
        var serials: [Int] = []
        func take(_ random: inout SplitMix64, _ isCalm: Bool) {
            guard case .send(let message) = desk.next(time) else { return }
            let dice = isCalm ? 0 : Int.random(in: 0..<5, using: &random)
            switch dice {
            case 0, 1:
                heard += message.alerts
                serials.append(message.serial)
                _ = desk.answer(.accepted(messageID: "\(message.serial)"), at: time)
            case 2: _ = desk.answer(.postponed(.seconds(3)), at: time)
            case 3: _ = desk.answer(.failed(reason: "x", mayHaveArrived: true), at: time)
            default: _ = desk.answer(.failed(reason: "y", mayHaveArrived: false), at: time)
            }
        }
        for step in 0..<300 {
            time += Int64.random(in: 0..<1500, using: &random)
            if Bool.random(using: &random) {
                // As many incidents as have room: then the last word of each must arrive.
                let name = "i\(Int.random(in: 0..<7, using: &random))"
                let alert = self.alert(name, "\(step / 3)")
                desk.post(alert, at: time)
                last[alert.incident] = alert
            }
            take(&random, false)
        }
        for _ in 0..<100 {
            time += 120_000
            take(&random, true)
        }
        #expect(desk.outbox.status.waiting == 0)
        #expect(serials == serials.sorted() && Set(serials).count == serials.count)
        for (incident, alert) in last {
            let told = heard.filter { $0.incident == incident }
            #expect(told.last?.title == alert.title)
            #expect(zip(told, told.dropFirst()).allSatisfy { Int($0.title) ?? -1 < Int($1.title) ?? -1 })
        }
        let status = desk.outbox.status
        #expect(status.delivered == heard.count)
    }
}
