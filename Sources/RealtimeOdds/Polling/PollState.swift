import OddsCore

/// Whom the poller asks, when, and what it makes of the answers. Decides in values: time and answers come in.
struct PollState {
    /// What one task is to ask.
    struct Question: Sendable {
        fileprivate enum Subject: Hashable, Sendable {
            case market(MarketID)
            /// A token whose market is not known yet.
            case token(AssetID)
        }

        fileprivate let subject: Subject
        /// Tells a market that was let go and came back from what it was before.
        fileprivate let life: UInt64
        /// The tokens; of a market YES first.
        let assets: [AssetID]
        /// From when on it may be asked: before, the venue's limit would be passed.
        let start: MonotonicTime
    }

    /// What others want to know of an answer.
    struct News: Sendable {
        enum Incident: Sendable {
            /// The first market has lost its odds.
            case began(String)
            /// The last market has them again.
            case ended(Duration)
        }

        var firstOdds: (MarketID, Timestamp)?
        var incident: Incident?
    }

    /// What followers and observers are to be told.
    enum Happening {
        /// A market on the board changed; the snapshot is what the change led to.
        case changed(MarketSlot, OddsSnapshot, PolledMarket.Change)
        /// An answer was believed, whether it changed anything or not.
        case confirmed(Market)
        /// Nothing new comes of a market.
        case ended(Market)
        /// Its outcome is known.
        case resolved(Resolution)
    }

    /// When something is asked next, and how it went.
    private struct Schedule {
        let life: UInt64
        var isDue = true
        var isAsked = false
        var failures = 0
        var retryAt = MonotonicTime(nanoseconds: .min)
        var lastError: String?

        mutating func asked() {
            self.isDue = false
            self.isAsked = true
        }

        func isReady(at now: MonotonicTime) -> Bool {
            guard !self.isAsked else { return false }
            return self.failures > 0 ? now >= self.retryAt : self.isDue
        }
    }

    private struct Seat {
        var market: PolledMarket
        var schedule: Schedule
        var hasHadOdds = false
        /// Whether its end was told.
        var hasEnded = false
    }

    private struct Token {
        /// Which of the lists it was named in: tokens of one list form pairs.
        let list: Int
        var schedule: Schedule
    }

    private(set) var counters = PollCounters()

    private let interval: Duration
    private let board: OddsBoard
    private let shelf: BookShelf
    private let bareAssets: [[AssetID]]
    private let backoff: Backoff
    private var generator: SplitMix64
    private var pace = RequestPace.clobBook
    private var seats: [MarketID: Seat] = [:]
    private var tokens: [AssetID: Token] = [:]
    /// Which market a token named alone belongs to.
    private var marketOfToken: [AssetID: MarketID] = [:]
    /// Tokens that were asked for at least once.
    private var triedTokens: Set<AssetID> = []
    private var happenings: [Happening] = []
    private var events: [ContinuityEvent] = []
    private var lives: UInt64 = 0
    /// The venue asked everybody to wait.
    private var heldUntil = MonotonicTime(nanoseconds: .min)
    /// The next round, in Unix nanoseconds; nil before the first.
    private var nextRound: Int64?
    /// Wall clock minus monotonic clock at the last step; nil before the first.
    private var clockOffset: Int64?
    private var incidentSince: MonotonicTime?
    private var isStopped = false

    /// How far the clocks may drift apart between two steps: beyond, the wall clock was stepped or the machine slept.
    private static let clockTolerance = Duration.seconds(1)
    /// How many questions are out at once.
    private static let concurrency = 32
    private static let longestRetryAfter = Duration.seconds(300)

    init(interval: Duration, bareAssets: [[AssetID]], board: OddsBoard, shelf: BookShelf, seed: UInt64) {
        self.interval = interval
        self.board = board
        self.shelf = shelf
        self.bareAssets = bareAssets
        self.generator = SplitMix64(seed: seed)
        // A poller that asks often finds out soon when the venue is back.
        let longest = min(.seconds(60), max(interval, .seconds(5)))
        self.backoff = Backoff(delays: [1, 2, 4, 8, 16, 32, 60].map { min(.seconds($0), longest) })
        for (list, assets) in bareAssets.enumerated() {
            for asset in assets where self.tokens[asset] == nil {
                self.tokens[asset] = Token(list: list, schedule: self.newSchedule())
            }
        }
    }

    // MARK: What is followed

    mutating func follow(_ market: Market, at now: ReceiveTime) {
        guard !self.isStopped, self.seats[market.id] == nil else { return }
        self.events.append(.followed(market))
        var polled = PolledMarket(slot: self.board.add(market), board: self.board)
        self.note(polled.advance(to: now.wall), polled.slot)
        self.seats[market.id] = Seat(market: polled, schedule: self.newSchedule())
        if polled.isClosed { self.ended(market.id) }
    }

    mutating func unfollow(_ id: MarketID) {
        self.ended(id)
        self.letGo(id)
    }

    private mutating func letGo(_ id: MarketID) {
        guard let seat = self.seats.removeValue(forKey: id) else { return }
        self.shelf.remove(seat.market.slot)
        self.board.remove(id)
        self.events.append(.unfollowed(id))
    }

    mutating func close(_ id: MarketID) {
        guard let slot = self.seats[id]?.market.slot else { return }
        self.note(self.seats[id]?.market.close(), slot)
        self.ended(id)
    }

    mutating func resolved(_ resolution: Resolution) {
        self.close(resolution.market.id)
        self.happenings.append(.resolved(resolution))
    }

    private mutating func ended(_ id: MarketID) {
        guard let seat = self.seats[id], !seat.hasEnded else { return }
        self.seats[id]?.hasEnded = true
        self.happenings.append(.ended(seat.market.market))
    }

    mutating func stop() {
        self.isStopped = true
        for (id, seat) in self.seatsInOrder { self.note(self.seats[id]?.market.stop(), seat.market.slot) }
    }

    /// What happens in several markets at once must not follow from how their ids are hashed.
    private var seatsInOrder: [(key: MarketID, value: Seat)] {
        self.seats.sorted { $0.key.rawValue < $1.key.rawValue }
    }

    private mutating func newSchedule() -> Schedule {
        self.lives += 1
        return Schedule(life: self.lives)
    }

    private mutating func note(_ change: PolledMarket.Change?, _ slot: MarketSlot) {
        guard let change, let odds = slot.read() else { return }
        self.happenings.append(.changed(slot, odds, change))
        guard change.previousTrust != nil || odds.sequence == 1 else { return }
        self.events.append(
            .trust(odds.market, odds.trust, previous: change.previousTrust, epoch: odds.epoch, source: odds.source))
    }

    /// What has happened since the last call, in order.
    mutating func takeHappenings() -> [Happening] {
        defer { self.happenings = [] }
        return self.happenings
    }

    /// What bears on continuity since the last call, in order.
    mutating func takeEvents() -> [ContinuityEvent] {
        defer { self.events = [] }
        return self.events
    }

    /// A token named alone has no market to have trouble with: it is told of as a name that cannot be found.
    private static func name(of token: AssetID) -> String { "Token \(token)" }

    // MARK: Asking

    /// What is to be asked now, and when to look again.
    mutating func step(at now: ReceiveTime) -> (questions: [Question], wake: MonotonicTime) {
        self.beginRound(at: now)
        for (id, seat) in self.seatsInOrder {
            self.note(self.seats[id]?.market.advance(to: now.wall), seat.market.slot)
        }
        guard now.monotonic >= self.heldUntil else { return ([], self.wake(after: now)) }
        let questions = self.dueQuestions(at: now.monotonic)
        return (questions, self.wake(after: now))
    }

    /// A round is due at the next multiple of the interval, and when the wall clock has jumped: the odds may be of any age.
    private mutating func beginRound(at now: ReceiveTime) {
        let offset = now.unixNanoseconds &- now.monotonic.nanoseconds
        let jump = self.clockOffset.map { Duration.nanoseconds(offset) - .nanoseconds($0) } ?? .zero
        self.clockOffset = offset
        let hasJumped = jump > Self.clockTolerance || jump < .zero - Self.clockTolerance
        if let next = self.nextRound, now.unixNanoseconds < next, !hasJumped { return }
        let length = self.interval.wholeNanoseconds
        self.nextRound = (now.unixNanoseconds.flooredQuotient(length) + 1) * length
        self.counters.rounds += 1
        for id in self.seats.keys {
            self.seats[id]?.schedule.isDue = true
            if self.seats[id]?.schedule.isAsked == true { self.counters.overlaps += 1 }
            if hasJumped { self.seats[id]?.schedule.retryAt = now.monotonic }
        }
        for asset in self.tokens.keys { self.tokens[asset]?.schedule.isDue = true }
    }

    private mutating func dueQuestions(at now: MonotonicTime) -> [Question] {
        var room =
            Self.concurrency - self.seats.values.count { $0.schedule.isAsked }
            - self.tokens.values.count { $0.schedule.isAsked }
        var questions: [Question] = []
        for (id, seat) in self.seatsInOrder where room > 0 && !seat.market.isClosed && seat.schedule.isReady(at: now) {
            self.seats[id]?.schedule.asked()
            questions.append(self.question(.market(id), seat.schedule.life, seat.market.market.assets, at: now))
            room -= 1
        }
        let tokens = self.tokens.sorted { $0.key.rawValue < $1.key.rawValue }
        for (asset, token) in tokens where room > 0 && token.schedule.isReady(at: now) {
            self.tokens[asset]?.schedule.asked()
            questions.append(self.question(.token(asset), token.schedule.life, [asset], at: now))
            room -= 1
        }
        return questions
    }

    private mutating func question(
        _ subject: Question.Subject, _ life: UInt64, _ assets: [AssetID], at now: MonotonicTime
    ) -> Question {
        self.counters.requests += UInt64(assets.count)
        return Question(
            subject: subject, life: life, assets: assets, start: self.pace.reserve(assets.count, at: now))
    }

    private func wake(after now: ReceiveTime) -> MonotonicTime {
        var wake = MonotonicTime(nanoseconds: .max)
        if let next = self.nextRound {
            wake = now.monotonic.advanced(by: .nanoseconds(next) - .nanoseconds(now.unixNanoseconds))
        }
        for seat in self.seats.values where seat.market.phase == .trading {
            guard let end = seat.market.market.window?.end else { continue }
            wake = min(wake, now.monotonic.advanced(by: now.wall.duration(to: end)))
        }
        if self.heldUntil > now.monotonic { return min(wake, self.heldUntil) }
        let schedules =
            self.seats.values.filter { !$0.market.isClosed }.map(\.schedule) + self.tokens.values.map(\.schedule)
        for schedule in schedules where schedule.failures > 0 && !schedule.isAsked {
            wake = min(wake, max(schedule.retryAt, now.monotonic))
        }
        return wake
    }

    // MARK: Answers

    /// A question was answered, with one result per token.
    mutating func answered(_ question: Question, _ results: [Result<RESTBook, RESTError>], at now: ReceiveTime) -> News
    {
        self.heed(results, at: now.monotonic)
        switch question.subject {
        case .market(let id): return self.answered(id, question.life, results, at: now)
        case .token(let asset):
            self.answered(asset, question.life, results, at: now)
            return News()
        }
    }

    /// What the answers say of the venue as a whole.
    private mutating func heed(_ results: [Result<RESTBook, RESTError>], at now: MonotonicTime) {
        self.counters.answers += UInt64(
            results.count {
                if case .failure(let error) = $0 { error.code == .notFound } else { true }
            })
        for case .failure(let error) in results {
            if error.code == .notFound { self.counters.absent += 1 } else { self.counters.failures += 1 }
            switch error.code {
            case .rateLimited:
                self.counters.rateLimited += 1
                let wait = max(.seconds(1), min(error.retryAfter ?? .zero, Self.longestRetryAfter))
                self.heldUntil = max(self.heldUntil, now.advanced(by: wait))
            case .serverFailure:
                guard let wait = error.retryAfter else { break }
                self.heldUntil = max(self.heldUntil, now.advanced(by: min(wait, Self.longestRetryAfter)))
            case .malformed: self.counters.malformed += 1
            default: break
            }
        }
    }

    private mutating func answered(
        _ id: MarketID, _ life: UInt64, _ results: [Result<RESTBook, RESTError>], at now: ReceiveTime
    ) -> News {
        guard var seat = self.seats[id], seat.schedule.life == life, !self.isStopped else { return News() }
        let answers = results.map { PolledMarket.Answer($0) }
        var news = News()
        let outcome = seat.market.answered(
            yes: answers.first ?? .failed, no: answers.count > 1 ? answers[1] : nil, at: now)
        self.count(outcome)
        if outcome.isConfirmed, let book = seat.market.book { self.shelf.put(book, of: seat.market.slot) }
        self.note(outcome.change, seat.market.slot)
        if outcome.isConfirmed { self.happenings.append(.confirmed(seat.market.market)) }
        let wasFailing = seat.schedule.failures > 0
        self.settle(&seat.schedule, failures: seat.market.failures, results, outcome, at: now.monotonic)
        if outcome.isConfirmed, !seat.hasHadOdds {
            seat.hasHadOdds = true
            news.firstOdds = (id, now.wall)
        }
        self.seats[id] = seat
        if outcome.isConfirmed, wasFailing { self.endBackoffs(at: now.monotonic) }
        news.incident = self.incident(at: now.monotonic)
        return news
    }

    private mutating func settle(
        _ schedule: inout Schedule, failures: Int, _ results: [Result<RESTBook, RESTError>],
        _ outcome: PolledMarket.Outcome, at now: MonotonicTime
    ) {
        schedule.isAsked = false
        schedule.failures = failures
        guard failures > 0 else {
            schedule.lastError = nil
            return
        }
        let delay = self.backoff.delay(afterFailures: failures - 1, using: &self.generator)
        schedule.retryAt = now.advanced(by: delay)
        let errors = results.compactMap { result -> String? in
            guard case .failure(let error) = result else { return nil }
            return error.message
        }
        if outcome.ghosts > 0 {
            schedule.lastError = "the answer looks like a ghost: a book of 0.01/0.99 that was never there"
        } else if outcome.older > 0 {
            schedule.lastError = "the answer is older than odds that were seen before"
        } else if outcome.foreign > 0 {
            schedule.lastError = "the answer is about another market"
        } else {
            schedule.lastError = errors.first
        }
    }

    private mutating func count(_ outcome: PolledMarket.Outcome) {
        self.counters.ghosts += UInt64(outcome.ghosts)
        self.counters.older += UInt64(outcome.older)
        self.counters.foreign += UInt64(outcome.foreign)
        if outcome.isConfirmed { self.counters.confirmed += 1 }
        if case .contradicting = outcome.agreement { self.counters.contradictions += 1 }
    }

    /// A sign of life ends every wait but one that the venue asked for.
    private mutating func endBackoffs(at now: MonotonicTime) {
        for id in self.seats.keys { self.seats[id]?.schedule.retryAt = now }
        for asset in self.tokens.keys { self.tokens[asset]?.schedule.retryAt = now }
    }

    private mutating func incident(at now: MonotonicTime) -> News.Incident? {
        let failing = self.seatsInOrder.first { $0.value.market.failures >= PolledMarket.patience }?.value
        switch (self.incidentSince, failing) {
        case (nil, .some(let seat)):
            self.incidentSince = now
            return .began(seat.schedule.lastError ?? "no answer")
        case (.some(let since), nil):
            self.incidentSince = nil
            return .ended(since.duration(to: now))
        case (nil, nil), (.some, .some): return nil
        }
    }

    // MARK: Tokens named alone

    private mutating func answered(
        _ asset: AssetID, _ life: UInt64, _ results: [Result<RESTBook, RESTError>], at now: ReceiveTime
    ) {
        guard var token = self.tokens[asset], token.schedule.life == life, !self.isStopped else { return }
        token.schedule.isAsked = false
        self.triedTokens.insert(asset)
        switch results.first {
        case .success(let book):
            if token.schedule.failures >= PolledMarket.patience {
                self.events.append(.discovery(name: Self.name(of: asset), problem: nil))
            }
            self.tokens[asset] = nil
            self.marketOfToken[asset] = book.market
        case .failure(let error):
            token.schedule.failures += 1
            token.schedule.lastError = error.message
            if token.schedule.failures == PolledMarket.patience {
                self.events.append(.discovery(name: Self.name(of: asset), problem: error.message))
            }
            let delay = self.backoff.delay(afterFailures: token.schedule.failures - 1, using: &self.generator)
            token.schedule.retryAt = now.monotonic.advanced(by: delay)
            self.tokens[asset] = token
        case nil: self.tokens[asset] = token
        }
        self.pair(list: token.list, at: now)
    }

    /// Makes markets of a list's tokens once each was asked for: two of one market are a pair, the first named is YES.
    private mutating func pair(list: Int, at now: ReceiveTime) {
        guard self.bareAssets[list].allSatisfy(self.triedTokens.contains) else { return }
        var pairs: [MarketID: [AssetID]] = [:]
        for asset in self.bareAssets[list] {
            guard let id = self.marketOfToken[asset], pairs[id]?.contains(asset) != true else { continue }
            pairs[id, default: []].append(asset)
        }
        for (id, assets) in pairs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let pair = Array(assets.prefix(2))
            if let known = self.seats[id]?.market.market {
                // A market that was followed anyway keeps its names; half of a pair becomes a whole one.
                guard known.slug.isEmpty, known.assets != pair else { continue }
                // It goes on, so nobody is told that it ended.
                self.letGo(id)
            }
            let no = pair.count > 1 ? Outcome(label: "No", asset: pair[1]) : nil
            self.follow(Market(id: id, slug: "", yes: Outcome(label: "Yes", asset: pair[0]), no: no), at: now)
        }
    }

    // MARK: Reading

    /// What is wrong, in sentences for people.
    var problems: [String] {
        var byReason: [String: [String]] = [:]
        for seat in self.seats.values where seat.market.failures >= PolledMarket.patience {
            let market = seat.market.market
            byReason[seat.schedule.lastError ?? "no answer", default: []].append(
                market.slug.isEmpty ? market.id.rawValue : market.slug)
        }
        for (asset, token) in self.tokens where token.schedule.failures >= PolledMarket.patience {
            byReason[token.schedule.lastError ?? "no answer", default: []].append("token \(asset)")
        }
        return byReason.map { reason, names in "\(names.sorted().joined(separator: ", ")): no odds over REST: \(reason)"
        }
        .sorted()
    }
}

/// What a poller counts since its start.
struct PollCounters {
    var rounds: UInt64 = 0
    var requests: UInt64 = 0
    var answers: UInt64 = 0
    var confirmed: UInt64 = 0
    var failures: UInt64 = 0
    var absent: UInt64 = 0
    var rateLimited: UInt64 = 0
    var malformed: UInt64 = 0
    var ghosts: UInt64 = 0
    var older: UInt64 = 0
    var foreign: UInt64 = 0
    var contradictions: UInt64 = 0
    var overlaps: UInt64 = 0

    /// By name, for people and for the API.
    var named: [(name: String, value: UInt64)] {
        [
            ("poll.rounds", self.rounds), ("poll.requests", self.requests), ("poll.answers", self.answers),
            ("poll.confirmed", self.confirmed),
            ("poll.failures", self.failures), ("poll.absent", self.absent), ("poll.rateLimited", self.rateLimited),
            ("poll.malformed", self.malformed), ("poll.ghosts", self.ghosts), ("poll.older", self.older),
            ("poll.foreign", self.foreign), ("poll.contradictions", self.contradictions),
            ("poll.overlaps", self.overlaps),
        ]
    }
}

extension PolledMarket.Answer {
    fileprivate init(_ result: Result<RESTBook, RESTError>) {
        switch result {
        case .success(let book): self = .book(book)
        case .failure(let error): self = error.code == .notFound ? .absent : .failed
        }
    }
}
