import OddsCore
import Synchronization

/// The last believed book of each polled market; written by the poller's steps, read from any thread.
final class BookShelf: Sendable {
    private struct Entry {
        let slot: MarketSlot
        let book: RESTBook
    }

    private let entries = Mutex<[AssetID: Entry]>([:])

    func put(_ book: RESTBook, of slot: MarketSlot) {
        self.entries.withLock { entries in
            for asset in slot.market.assets { entries[asset] = Entry(slot: slot, book: book) }
        }
    }

    func remove(_ slot: MarketSlot) {
        self.entries.withLock { entries in
            for asset in slot.market.assets where entries[asset]?.slot === slot { entries[asset] = nil }
        }
    }

    func depth(of asset: AssetID) -> TokenDepth? {
        guard let entry = self.entries.withLock({ $0[asset] }), let shown = entry.slot.read() else { return nil }
        return TokenDepth(of: asset, in: entry.book, shown: shown)
    }
}

/// What an observer can ask the poller, which it does not keep alive.
final class PollReader: FeedReader {
    private struct Question {
        let asset: AssetID
        let instant: MonotonicTime
        let answer: @Sendable (TokenDepth?, ReceiveTime) -> Void
    }

    private struct State {
        /// By instant.
        var questions: [Question] = []
        var isClosed = false
    }

    private let shelf: BookShelf
    private let board: OddsBoard
    private let ticks: Int
    private let clock: any StreamClock
    /// Wakes the poller when a question may be due before it looks next.
    private let alarm: Alarm
    private let state = Mutex(State())

    init(shelf: BookShelf, board: OddsBoard, clock: any StreamClock, alarm: Alarm, ticks: Int) {
        self.shelf = shelf
        self.board = board
        self.ticks = ticks
        self.clock = clock
        self.alarm = alarm
    }

    func depth(of asset: AssetID) -> TokenDepth? { self.shelf.depth(of: asset) }

    func microstructure(of market: MarketID) -> Microstructure? {
        guard let slot = self.board.slot(market), let shown = slot.read(), shown.trust != .closed else { return nil }
        let yes = self.depth(of: slot.market.yes.asset)?.figures(ticks: self.ticks)
        let no = slot.market.no.flatMap { self.depth(of: $0.asset) }?.figures(ticks: self.ticks)
        return MicrostructureMeter().read(
            shown, books: yes.map { MicrostructureMeter.Books(yes: $0, no: no) }, at: self.clock.now())
    }

    func depth(
        of asset: AssetID, at instant: MonotonicTime,
        _ answer: @escaping @Sendable (TokenDepth?, ReceiveTime) -> Void
    ) {
        let isClosed = self.state.withLock { state in
            guard !state.isClosed else { return true }
            let place = state.questions.firstIndex { $0.instant > instant } ?? state.questions.endIndex
            state.questions.insert(Question(asset: asset, instant: instant, answer: answer), at: place)
            return false
        }
        guard !isClosed else { return answer(nil, self.clock.now()) }
        self.alarm.ring()
    }

    /// Answers what is due, and tells when something is due next.
    func answerDue(at now: MonotonicTime) -> MonotonicTime {
        let due = self.state.withLock { state in
            let due = state.questions.prefix { $0.instant <= now }
            state.questions.removeFirst(due.count)
            return Array(due)
        }
        for question in due { question.answer(self.depth(of: question.asset), self.clock.now()) }
        return self.state.withLock { $0.questions.first?.instant } ?? MonotonicTime(nanoseconds: .max)
    }

    /// The poller has ended: nothing is known any more.
    func close() {
        let questions = self.state.withLock { state in
            defer { state.questions = [] }
            state.isClosed = true
            return state.questions
        }
        for question in questions { question.answer(nil, self.clock.now()) }
    }
}
