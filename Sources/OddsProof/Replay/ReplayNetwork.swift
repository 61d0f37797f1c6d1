import NIOCore
package import OddsCore
package import RealtimeOdds

/// Answers the feed from a recording: each recorded attempt of a line is a socket, and the books that were asked for over
/// REST come when they came then.
///
/// What the feed sends is heard by nobody. When the feed connects it is given the earliest recorded attempt of that line
/// that nobody has and that has not ended; what that attempt has brought by then is handed over at once.
package final class ReplayNetwork: FeedConnector, BookWitness, @unchecked Sendable {
    // Everything here happens on the one thread that drives the loop.
    /// How the feed's behaviour and the recorded one differed.
    package struct Differences: Hashable, Sendable, Codable {
        /// Connections that the feed asked for and the recording has none for.
        package var unanswered = 0
        /// Recorded connections that the feed did not ask for before they ended.
        package var unused = 0
        /// Messages of recorded connections that the feed had given up by then, or never had.
        package var unheard: UInt64 = 0
        /// Connections that had ended in the recording while the feed kept them.
        package var cut = 0
        /// Questions to the witness for which the recording has no answer.
        package var unansweredQuestions = 0
    }

    /// One recorded connection, from its first row to its end.
    final class Attempt {
        let line: Int
        let connection: Int
        var isOpen = false
        var socket: ReplaySocket?
        /// Whether the feed had it and let it go.
        var isLeft = false
        /// What it brought before the feed asked for it.
        var backlog: [[UInt8]] = []
        /// Whether rows are missing and it was not heard of since.
        var isInGap = false
        /// Whether it went on while rows were missing: the feed may come back to it, as its own reasons for having let it
        /// go were not the recorded feed's.
        var outlivesGap = false

        init(line: Int, connection: Int) {
            self.line = line
            self.connection = connection
        }

        /// Whether the feed may have it.
        var isFree: Bool { self.socket == nil && !self.isLeft && !self.isInGap }
    }

    private struct Question {
        let path: String
        let asked: Int64
        let answer: (Result<RESTBook, RESTError>) -> Void
        let asset: AssetID
    }

    let loop: ReplayLoop
    private var attempts: [Attempt] = []
    private var waiting: [ReplaySocket] = []
    private var reading: Attempt?
    private var readTime: Int64 = 0
    private var questions: [Question] = []
    private var answers: [(asked: Int64, exchange: RESTExchange)] = []
    /// The recorded monotonic time at the loop's beginning.
    private let origin: Int64
    /// Messages that were heard, and that were not.
    private(set) var heard: UInt64 = 0
    private var counted = Differences()
    /// Whether the recorded feed has closed its last connection by itself, as it does when the program ends.
    private(set) var isOver = false
    /// The bytes of all backlogs.
    private var backlogBytes = 0
    /// Whether the recording was heard to hold answers.
    private(set) var hasAnswers = false

    /// How long the feed may keep a connection that was given up by itself in the recording: its own decision follows.
    private static let grace = Duration.seconds(1)
    /// How much earlier than the feed asks the recorded question may have been asked.
    private static let tolerance: Int64 = 1_000_000_000
    /// How long an answer is waited for: longer than the real client does, whose own failures are in the recording.
    private static let patience: Int64 = 10_000_000_000
    /// How many messages are kept for a feed that has not asked for their connection yet.
    private static let backlogLimit = 10_000
    /// How many bytes of them are kept for all connections together.
    private static let backlogByteLimit = 1 << 26
    /// How many connections that have not ended are known at a time.
    private static let attemptLimit = 1_000

    init(loop: ReplayLoop, origin: Int64) {
        self.loop = loop
        self.origin = origin
    }

    package var address: String { "recording" }

    /// How the feed's behaviour and the recorded one differed until now.
    var differences: Differences {
        var differences = self.counted
        differences.unanswered += self.waiting.count
        return differences
    }

    func later(_ duration: Duration, _ body: @escaping () -> Void) {
        let bound = NIOLoopBound(body, eventLoop: self.loop)
        self.loop.scheduleTask(in: .nanoseconds(duration.wholeNanoseconds)) { bound.value() }
    }

    func soon(_ body: @escaping () -> Void) {
        let bound = NIOLoopBound(body, eventLoop: self.loop)
        self.loop.execute { bound.value() }
    }

    // MARK: Sockets

    package func connect(line: Int, delegate: any TransportDelegate) -> any FeedTransport {
        let socket = ReplaySocket(line: line, network: self, delegate: delegate)
        if let attempt = self.attempts.first(where: { $0.line == line && $0.isFree }) {
            self.join(socket, attempt)
        } else {
            self.waiting.append(socket)
        }
        return socket
    }

    private func join(_ socket: ReplaySocket, _ attempt: Attempt) {
        attempt.socket = socket
        socket.attempt = attempt
        guard attempt.isOpen else { return }
        self.soon {
            socket.open()
            let backlog = self.takeBacklog(of: attempt)
            for text in backlog { text.withUnsafeBytes { socket.delegate?.transportReceived(message: $0) } }
            self.heard += UInt64(backlog.count)
            if !backlog.isEmpty { socket.delegate?.transportReadComplete() }
        }
    }

    /// The feed has let a socket go.
    func left(_ socket: ReplaySocket) {
        self.waiting.removeAll { $0 === socket }
        if let attempt = socket.attempt {
            attempt.isLeft = !attempt.outlivesGap
            attempt.socket = nil
        }
        socket.attempt = nil
    }

    private func attempt(_ line: Int, _ connection: Int) -> Attempt? {
        for attempt in self.attempts where attempt.connection == connection && attempt.line == line { return attempt }
        return nil
    }

    private func begin(_ line: Int, _ connection: Int) -> Attempt {
        let attempt = Attempt(line: line, connection: connection)
        if self.attempts.count >= Self.attemptLimit, let oldest = self.attempts.firstIndex(where: { $0.socket == nil })
        {
            _ = self.takeBacklog(of: self.attempts.remove(at: oldest))
        }
        self.attempts.append(attempt)
        self.isOver = false
        if let index = self.waiting.firstIndex(where: { $0.line == line }) {
            self.join(self.waiting.remove(at: index), attempt)
        }
        return attempt
    }

    // MARK: What was recorded

    /// A message, at the loop's time.
    @inline(__always)
    func received(_ text: UnsafeRawBufferPointer, line: Int, connection: Int) {
        let attempt: Attempt
        if let reading = self.reading, reading.connection == connection, reading.line == line {
            attempt = reading
        } else {
            guard let found = self.attempt(line, connection) ?? self.unknown(line, connection) else {
                self.counted.unheard += 1
                return
            }
            attempt = found
        }
        if attempt.isInGap { return self.goesOn(text, attempt) }
        guard let socket = attempt.socket, socket.isOpen else {
            return self.unheard(text, attempt)
        }
        self.reading = attempt
        self.readTime = self.loop.time
        self.heard &+= 1
        socket.delegate?.transportReceived(message: text)
    }

    /// Of a recording that begins in the middle, or of a tape, the connections are open from their first message on.
    private func unknown(_ line: Int, _ connection: Int) -> Attempt? {
        let attempt = self.begin(line, connection)
        attempt.isOpen = true
        attempt.socket?.open()
        return attempt
    }

    private func unheard(_ text: UnsafeRawBufferPointer, _ attempt: Attempt) {
        if attempt.isLeft || attempt.backlog.count >= Self.backlogLimit
            || self.backlogBytes + text.count > Self.backlogByteLimit
        {
            self.counted.unheard += 1
        } else {
            attempt.backlog.append(Array(text))
            self.backlogBytes += text.count
        }
    }

    private func takeBacklog(of attempt: Attempt) -> [[UInt8]] {
        let backlog = attempt.backlog
        attempt.backlog = []
        self.backlogBytes -= backlog.reduce(0) { $0 + $1.count }
        return backlog
    }

    /// Rows are missing: what the feed knows by its connections is suspect, so they are lost to it. Those that were open
    /// then go on when their messages do.
    func lost() {
        self.endRead()
        var sockets: [ReplaySocket] = []
        for attempt in self.attempts where attempt.isOpen {
            attempt.isInGap = true
            attempt.outlivesGap = true
            attempt.isLeft = false
            if let socket = attempt.socket { sockets.append(socket) }
        }
        for socket in sockets { socket.end(TransportError(.connectionLost, "rows are missing in the recording")) }
        self.loop.runTasks()
    }

    /// The first message of a connection behind rows that are missing.
    private func goesOn(_ text: UnsafeRawBufferPointer, _ attempt: Attempt) {
        self.endRead()
        attempt.isInGap = false
        if let index = self.waiting.firstIndex(where: { $0.line == attempt.line }) {
            self.join(self.waiting.remove(at: index), attempt)
        }
        self.unheard(text, attempt)
        self.loop.runTasks()
    }

    /// Whether a row goes on with the read that is under way.
    @inline(__always)
    func continues(_ line: Int, _ connection: Int, at time: Int64) -> Bool {
        guard let reading = self.reading else { return true }
        return self.readTime == time && reading.connection == connection && reading.line == line
    }

    /// The read that is under way is complete.
    @inline(__always)
    func endRead() {
        guard let attempt = self.reading else { return }
        self.reading = nil
        attempt.socket?.delegate?.transportReadComplete()
        self.loop.runTasks()
    }

    func happened(_ event: FeedConnectionEvent, line: Int, connection: Int) {
        switch event {
        case .connecting:
            if self.attempt(line, connection) == nil { _ = self.begin(line, connection) }
        case .open:
            let attempt = self.attempt(line, connection) ?? self.begin(line, connection)
            attempt.isOpen = true
            attempt.socket?.open()
        case .closed(let reason, let byUs, let retryAfter):
            guard let index = self.attempts.firstIndex(where: { $0.connection == connection && $0.line == line }) else {
                return
            }
            let attempt = self.attempts.remove(at: index)
            self.isOver = byUs && self.attempts.isEmpty
            guard let socket = attempt.socket else {
                _ = self.takeBacklog(of: attempt)
                if !attempt.isLeft, !attempt.outlivesGap, !byUs { self.counted.unused += 1 }
                return
            }
            let error = TransportError(.connectionLost, reason, retryAfter: retryAfter)
            guard byUs else { return socket.end(error) }
            // The feed is about to decide the same, as its looks at the lines come at moments of their own.
            self.later(Self.grace) {
                guard !socket.isClosed else { return }
                self.counted.cut += 1
                socket.end(error)
            }
        }
        self.loop.runTasks()
    }

    // MARK: The witness

    package func ask(_ assets: [AssetID], _ answer: @escaping ([Result<RESTBook, RESTError>]) -> Void) {
        var results: [Result<RESTBook, RESTError>?] = Array(repeating: nil, count: assets.count)
        for (index, asset) in assets.enumerated() {
            self.ask(asset) { result in
                results[index] = result
                let complete = results.compactMap { $0 }
                if complete.count == assets.count { answer(complete) }
            }
        }
    }

    private func ask(_ asset: AssetID, _ answer: @escaping (Result<RESTBook, RESTError>) -> Void) {
        let path = ClobClient.path(ofBook: asset)
        let now = self.loop.time
        self.answers.removeAll { $0.asked < now - Self.tolerance }
        if let index = self.answers.firstIndex(where: { $0.exchange.path == path }) {
            let exchange = self.answers.remove(at: index).exchange
            return self.soon { answer(Self.book(of: asset, in: exchange)) }
        }
        self.questions.append(Question(path: path, asked: now, answer: answer, asset: asset))
        self.later(.nanoseconds(Self.patience)) { self.giveUp(path, asked: now) }
    }

    private func giveUp(_ path: String, asked: Int64) {
        guard let index = self.questions.firstIndex(where: { $0.path == path && $0.asked == asked }) else { return }
        let question = self.questions.remove(at: index)
        self.counted.unansweredQuestions += 1
        question.answer(.failure(RESTError(.timeout, "the recording has no answer to \(path) at this time")))
    }

    func answered(_ exchange: RESTExchange) {
        guard exchange.service == .clob, exchange.path.hasPrefix("/book?") else { return }
        self.hasAnswers = true
        let asked = exchange.asked.monotonic.nanoseconds &- self.origin
        let match = self.questions.firstIndex { $0.path == exchange.path && asked >= $0.asked - Self.tolerance }
        guard let match else {
            self.answers.append((asked, exchange))
            if self.answers.count > 1024 { self.answers.removeAll { $0.asked < self.loop.time - Self.tolerance } }
            return
        }
        let question = self.questions.remove(at: match)
        question.answer(Self.book(of: question.asset, in: exchange))
        self.loop.runTasks()
    }

    private static func book(of asset: AssetID, in exchange: RESTExchange) -> Result<RESTBook, RESTError> {
        guard let status = exchange.status else {
            return .failure(RESTError(.unreachable, exchange.failure ?? "there was no answer"))
        }
        let response = RESTResponse(status: status, contentType: "application/json", body: exchange.body)
        do throws(RESTError) {
            return .success(try ClobClient.book(of: asset, in: response, url: exchange.path))
        } catch {
            return .failure(error)
        }
    }

    /// Every connection is lost.
    func loseAll(_ reason: String) {
        self.endRead()
        let attempts = self.attempts
        self.attempts = []
        for attempt in attempts { attempt.socket?.end(TransportError(.connectionLost, reason)) }
        self.loop.runTasks()
    }

    // MARK: The end of a run

    /// The process that was recorded ended here: its connections are of the past.
    func endRun() {
        self.endRead()
        self.attempts = []
        self.questions = []
        self.answers = []
    }
}

/// One connection of a replay.
final class ReplaySocket: FeedTransport {
    let line: Int
    private unowned let network: ReplayNetwork
    var delegate: (any TransportDelegate)?
    /// The recorded connection that it stands for; nil while there is none.
    var attempt: ReplayNetwork.Attempt?
    private(set) var isOpen = false
    private(set) var isClosed = false

    init(line: Int, network: ReplayNetwork, delegate: any TransportDelegate) {
        self.line = line
        self.network = network
        self.delegate = delegate
    }

    func write(_ bytes: [UInt8]) {}

    func open() {
        guard !self.isOpen, !self.isClosed else { return }
        self.isOpen = true
        self.delegate?.transportConnected(self)
    }

    func close() {
        guard !self.isClosed else { return }
        self.isOpen = false
        // What still comes is heard by nobody from here on.
        self.network.left(self)
        self.network.soon { self.end(nil) }
    }

    func end(_ error: TransportError?) {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.isOpen = false
        self.attempt?.socket = nil
        self.attempt = nil
        let delegate = self.delegate
        self.delegate = nil
        delegate?.transportClosed(error)
    }
}
