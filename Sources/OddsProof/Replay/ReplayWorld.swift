package import Logging
import NIOCore
package import OddsCore
package import RealtimeOdds

/// The feed engine in a recording's time: rows go in, and what the engine makes of them is told to the observers.
///
/// The engine, its ladder from silence to proof, its arbiter and its books are those of the live stream. Its timers run at
/// exactly their deadlines; a timer that is due at a row's own moment runs before the row.
package final class ReplayWorld {
    /// How it is set up.
    package struct Setting {
        /// The feed, where the recording does not say.
        package var feed = RealtimeOddsConfiguration()
        /// Whether the recording's own settings (lines, seed, renewals) are taken where it says them.
        package var heedsRecording = true
        /// The tokens to follow; empty follows what was followed then, and in a tape every token that it brings.
        package var tokens: [AssetID] = []
        /// What jitter is drawn from where the recording does not say.
        package var seed: UInt64 = 1

        package init() {}
    }

    /// Told of everything that bears on continuity.
    package typealias Continuity = (ContinuityEvent, ReceiveTime) -> Void

    let loop = ReplayLoop()
    package private(set) var clock: ReplayClock
    private let setting: Setting
    private let observer: any MarketObserver
    private let continuity: @Sendable (ContinuityEvent, ReceiveTime) -> Void
    private let logger: Logger

    private var host: FeedHost?
    private var network: ReplayNetwork?
    private var followed: [MarketID: Market] = [:]
    private var bare: [AssetID] = []
    private var run = ReplayRun()
    /// Whether the rows are a tape's: messages, and no word about connections.
    private var isTape = true
    /// The tokens of a tape that were met.
    private var met: Set<AssetID> = []
    /// The same in the order in which they came: of a market's tokens the first is YES, in every session.
    private var metInOrder: [AssetID] = []
    /// The recorded monotonic time at the loop's beginning, of the present run.
    private var origin: Int64 = 0
    /// How much the wall clock differs from the time that ran on where the recording says that nobody set it, and how
    /// much it was set by since the present run began.
    private var base: Int64 = 0
    private var wallOffset: Int64 = 0
    private var hasBegun = false
    private var isInRun = false
    private var differencesBefore = ReplayNetwork.Differences()
    private var heardBefore: UInt64 = 0

    /// How many rows said that others are missing, how many those are, and how many rows came late.
    package private(set) var lost: UInt64 = 0
    package private(set) var lateRows: UInt64 = 0
    /// How many runs were begun.
    package private(set) var runs = 0
    /// How often the times jumped, and another session began.
    package private(set) var jumps = 0

    /// - Parameters:
    ///   - observer: sees everything inline.
    ///   - continuity: told of everything that bears on continuity.
    package init(
        _ setting: Setting, observer: any MarketObserver, logger: Logger, continuity: @escaping Continuity
    ) {
        self.setting = setting
        self.observer = observer
        self.logger = logger
        self.clock = ReplayClock(self.loop, beginning: 0, monotonic: 0)
        let bound = NIOLoopBound(continuity, eventLoop: self.loop)
        self.continuity = { event, time in bound.value(event, time) }
    }

    // MARK: Rows

    /// Goes on to a row's time, and does what it says.
    @inline(__always)
    package func take(_ row: ReplayRow, at received: ReceiveTime) {
        if !self.hasBegun { self.begin(received, row) }
        let time = received.monotonic.nanoseconds &- self.origin
        if case .message(let text, let line, let connection) = row {
            guard let network = self.network else { return self.firstMessage(text, line, connection, received) }
            if self.isTape ? self.isJump(time, text) : self.isLeap(time) {
                return self.jump(text, line, connection, received)
            }
            if !network.continues(line, connection, at: time) { network.endRead() }
            self.pass(until: time)
            if self.isTape { return self.tapeMessage(text, line, connection, network) }
            network.received(text, line: line, connection: connection)
        } else {
            self.takeOther(row, received, time)
        }
    }

    /// Whether a tape goes on somewhere else in time: it does not say where a connection ends and another begins. What is
    /// stamped a little earlier than the row before is only late, and a market may be silent for long; but then no book
    /// comes at the end of the silence, as it does where a connection begins.
    @inline(__always)
    private func isJump(_ time: Int64, _ text: UnsafeRawBufferPointer) -> Bool {
        let distance = time &- self.loop.time
        if distance >= -Self.lateness, distance <= Self.silence { return false }
        return distance < 0 || distance > Self.absurdity || TokenScan.isBook(text)
    }

    /// Whether a recording goes on somewhere else in time: while anything is connected, something comes every few seconds.
    @inline(__always)
    private func isLeap(_ time: Int64) -> Bool {
        let distance = time &- self.loop.time
        return distance > Self.calm || distance < -Self.calm
    }

    /// How much earlier than the row before a row of a tape may be, and how long nothing may come, before that is a jump. Rows
    /// stamped by the exchange go back by up to three seconds (protocol, price_change): those are late rows of one session.
    private static let lateness: Int64 = 60_000_000_000
    private static let silence: Int64 = 60_000_000_000
    /// How long nothing may come in a recording, and between two runs, so that the time is gone through: an hour.
    private static let calm: Int64 = 3_600_000_000_000
    /// How long nothing may come in a tape in any case: 31 days.
    private static let absurdity: Int64 = 31 * 86_400_000_000_000

    @inline(__always)
    private func pass(until time: Int64) {
        if time < self.loop.time { self.lateRows &+= 1 }
        self.loop.pass(until: time)
    }

    private func begin(_ received: ReceiveTime, _ row: ReplayRow) {
        self.hasBegun = true
        self.origin = received.monotonic.nanoseconds
        self.clock.set(beginning: received)
        if case .start = row { return }
        if case .message = row { return }
        // Commands or connections without a word about the run: one that was recorded without a file.
        self.isTape = false
        self.beginRun(ReplayRun())
    }

    private func takeOther(_ row: ReplayRow, _ received: ReceiveTime, _ time: Int64) {
        switch row {
        case .start(let run): return self.start(run, received)
        case .tape: return self.beginTape(received)
        case .clock(let step):
            self.wallOffset = step
            self.clock.step = self.base &+ step
            return
        case .other: return
        // Told in the middle of a read, by the feed itself.
        case .command(.resolved): break
        case .message, .connection, .answer, .command, .lost: self.network?.endRead()
        case .end:
            self.network?.endRead()
            // The recorded feed had stopped: what its lines would have been found to be from there on nobody looked at.
            if self.network?.isOver == true { return }
        }
        if self.network != nil, !self.isTape, self.isLeap(time) {
            self.beginSession(received)
        } else {
            self.pass(until: time)
        }
        if self.network == nil { self.beginRun(ReplayRun()) }
        switch row {
        case .message, .start, .tape, .clock, .end, .other: break
        case .lost(let rows):
            let (sum, isTooMuch) = self.lost.addingReportingOverflow(rows)
            self.lost = isTooMuch ? .max : sum
            self.network?.lost()
        case .connection(let event, let line, let connection):
            self.network?.happened(event, line: line, connection: connection)
        case .answer(let exchange): self.network?.answered(exchange)
        case .command(let command): self.perform(command)
        }
        self.loop.runTasks()
    }

    private func perform(_ command: FeedCommand) {
        guard let host = self.host else { return }
        switch command {
        case .follow(let market):
            guard self.setting.tokens.isEmpty || market.assets.contains(where: self.setting.tokens.contains) else {
                return
            }
            self.followed[market.id] = market
            host.follow(market)
        case .followTokens(let tokens):
            let wanted = self.setting.tokens.isEmpty ? tokens : tokens.filter(self.setting.tokens.contains)
            self.bare += wanted
            if !wanted.isEmpty { host.follow(bare: wanted) }
        case .unfollow(let id):
            if let market = self.followed.removeValue(forKey: id) { host.unfollow(market) }
        case .resolved(let resolution): host.resolved(resolution)
        case .rollover: break
        case .discovery(let name, let problem):
            self.continuity(.discovery(name: name, problem: problem), self.clock.now())
        }
    }

    // MARK: Runs

    private func start(_ run: ReplayRun, _ received: ReceiveTime) {
        self.isTape = false
        if self.isInRun {
            self.endRun()
            // Another run, with a monotonic clock of its own perhaps: the wall clocks say how much later it began. What
            // is longer than an hour is passed over.
            let distance = received.unixNanoseconds &- self.clock.now().unixNanoseconds
            self.loop.pass(
                until: self.loop.time &+ (distance > Self.calm ? Self.lateness : Swift.max(0, distance)))
            self.wallOffset = 0
            self.set(received)
        }
        self.beginRun(run)
    }

    /// From here on the loop's time is this one.
    private func set(_ received: ReceiveTime) {
        self.origin = received.monotonic.nanoseconds &- self.loop.time
        self.clock.step = received.unixNanoseconds &- (self.clock.now().unixNanoseconds &- self.clock.step)
        self.base = self.clock.step &- self.wallOffset
    }

    /// A tape behind a recording.
    private func beginTape(_ received: ReceiveTime) {
        guard self.isInRun, !self.isTape else { return }
        self.loop.pass(until: self.loop.time &+ Self.lateness)
        self.endRun()
        self.wallOffset = 0
        self.set(received)
        self.isTape = true
    }

    private func beginRun(_ run: ReplayRun) {
        self.run = run
        self.isInRun = true
        self.runs += 1
        var configuration = self.setting.feed
        if self.setting.heedsRecording {
            // What a file says that was changed by hand may be no number of lines, and no interval.
            let lines = run.lines ?? configuration.lines
            configuration.lines = Swift.min(Swift.max(lines, 1), FeedArbiter.maximumLines)
            let interval = run.renewalInterval ?? configuration.renewalInterval
            configuration.renewalInterval =
                interval <= .zero ? .zero : Swift.min(Swift.max(interval, .seconds(1)), .seconds(86_400))
        }
        if self.isTape { configuration.expectNothing() }
        let network = ReplayNetwork(loop: self.loop, origin: self.origin)
        self.network = network
        self.host = FeedHost(
            configuration: configuration, connector: network, witness: self.isTape ? nil : network,
            eventLoop: self.loop, clock: self.clock, logger: self.logger,
            seed: self.setting.heedsRecording ? run.seed ?? self.setting.seed : self.setting.seed,
            continuity: self.continuity, marketObserver: self.observer, tellsOutcomes: self.isTape)
    }

    /// The process that was recorded ended here.
    private func endRun() {
        guard let host = self.host, let network = self.network else { return }
        network.endRun()
        // Before the host takes its own sockets back.
        self.differencesBefore = self.differencesBefore + network.differences
        _ = host.stop()
        self.loop.runTasks()
        self.heardBefore += network.heard
        self.host = nil
        self.network = nil
        self.followed = [:]
        self.bare = []
        self.isInRun = false
    }

    // MARK: Tapes

    private func firstMessage(
        _ text: UnsafeRawBufferPointer, _ line: Int, _ connection: Int, _ received: ReceiveTime
    ) {
        self.beginRun(ReplayRun())
        if self.isTape, !self.setting.tokens.isEmpty { self.host?.follow(bare: self.setting.tokens) }
        self.take(.message(text, line: line, connection: connection), at: received)
    }

    private func jump(
        _ text: UnsafeRawBufferPointer, _ line: Int, _ connection: Int, _ received: ReceiveTime
    ) {
        self.beginSession(received)
        self.take(.message(text, line: line, connection: connection), at: received)
    }

    /// The times jump: the connections are lost, and what comes is others', in another session. The time in between, if
    /// any, is skipped; the monotonic clock goes on by a second, also where the wall clock goes back.
    private func beginSession(_ received: ReceiveTime) {
        self.jumps += 1
        self.network?.loseAll(self.isTape ? "the tape's times jump" : "the recording's times jump")
        self.loop.pass(until: self.loop.time &+ Self.lateness)
        // In an order that follows from the recording.
        let markets = self.followed.values.sorted { $0.id.rawValue < $1.id.rawValue }
        var tokens = self.bare
        if self.isTape { tokens = self.setting.tokens.isEmpty ? self.metInOrder : self.setting.tokens }
        let run = self.run
        self.endRun()
        self.set(received)
        self.beginRun(run)
        self.runs -= 1
        for market in markets {
            self.followed[market.id] = market
            self.host?.follow(market)
        }
        self.bare = self.isTape ? [] : tokens
        if !tokens.isEmpty { self.host?.follow(bare: tokens) }
        self.loop.runTasks()
    }

    /// A tape says nowhere which tokens it is about: one that is met for the first time is followed from then on, and
    /// the message that it came with is read again.
    @inline(__always)
    private func tapeMessage(
        _ text: UnsafeRawBufferPointer, _ line: Int, _ connection: Int, _ network: ReplayNetwork
    ) {
        guard self.setting.tokens.isEmpty, let host = self.host else {
            return network.received(text, line: line, connection: connection)
        }
        if self.met.isEmpty {
            guard self.meet(text, host) else { return }
            return network.received(text, line: line, connection: connection)
        }
        let before = host.foreignEntries
        network.received(text, line: line, connection: connection)
        guard host.foreignEntries != before else { return }
        network.endRead()
        if self.meet(text, host) { network.received(text, line: line, connection: connection) }
    }

    /// Follows the tokens of a message that are new; whether there are any.
    private func meet(_ text: UnsafeRawBufferPointer, _ host: FeedHost) -> Bool {
        let new = TokenScan.tokens(in: text).filter { self.met.insert($0).inserted }
        guard !new.isEmpty else { return false }
        self.metInOrder += new
        host.follow(bare: new)
        self.loop.runTasks()
        return true
    }

    // MARK: The end

    /// The last row was given: what was under way is finished.
    package func finish() {
        self.network?.endRead()
        self.loop.runTasks()
    }

    /// Ends the feed. What is told from here on is about the end of the replay, not about the recording.
    package func end() { self.endRun() }

    // MARK: Reading

    /// What the feed shows and knows; nil before the first row.
    package var feed: FeedHost? { self.host }
    /// Messages that the feed heard.
    package var heard: UInt64 { self.heardBefore + (self.network?.heard ?? 0) }
    /// How the feed's behaviour and the recorded one differed.
    package var differences: ReplayNetwork.Differences {
        self.differencesBefore + (self.network?.differences ?? ReplayNetwork.Differences())
    }

    /// Does something at intervals of the recording's time, from its first row on, for as long as there are rows.
    package func every(_ interval: Duration, _ body: @escaping (ReceiveTime) -> Void) {
        let bound = NIOLoopBound((self, body), eventLoop: self.loop)
        self.loop.scheduleTask(in: .nanoseconds(interval.wholeNanoseconds)) {
            let (world, body) = bound.value
            body(world.clock.now())
            world.every(interval, body)
        }
    }
}

extension ReplayNetwork.Differences {
    static func + (a: Self, b: Self) -> Self {
        var sum = a
        sum.unanswered += b.unanswered
        sum.unused += b.unused
        sum.unheard += b.unheard
        sum.cut += b.cut
        sum.unansweredQuestions += b.unansweredQuestions
        return sum
    }
}

extension RealtimeOddsConfiguration {
    /// A tape is messages alone: nobody recorded the answers to a heartbeat, the books that were asked for, or a witness.
    /// So nothing is asked, and silence is taken for calm.
    fileprivate mutating func expectNothing() {
        let never = Duration.seconds(4_000_000_000)
        self.lines = 1
        self.maximumAssetsPerConnection = 1_000_000
        self.heartbeatInterval = never
        self.pongTimeout = never
        self.snapshotTimeout = never
        self.renewalInterval = .zero
        self.livenessLimits.quietAfter = never
        self.livenessLimits.quietAtMost = never
        self.livenessLimits.firstBookAfter = never
        self.livenessLimits.carriedAfter = never
        self.livenessLimits.lateBy = never
        self.livenessLimits.redriveLimit = never
        self.livenessLimits.twinAhead = never
    }
}

/// Finds token ids in a message without reading it as JSON.
enum TokenScan {
    private static let key = Array("\"asset_id\"".utf8)

    /// The values of `asset_id`, in their order; one that comes twice is there twice.
    static func tokens(in text: UnsafeRawBufferPointer) -> [AssetID] {
        var tokens: [AssetID] = []
        var index = 0
        while index + Self.key.count < text.count {
            guard text[index] == UInt8(ascii: "\""), Self.isKey(text, at: index) else {
                index += 1
                continue
            }
            index += Self.key.count
            while index < text.count, text[index] != UInt8(ascii: "\"") { index += 1 }
            let start = index + 1
            index = start
            while index < text.count, text[index] != UInt8(ascii: "\"") { index += 1 }
            if start < index, index < text.count {
                tokens.append(AssetID(String(decoding: text[start..<index], as: UTF8.self)))
            }
            index += 1
        }
        return tokens
    }

    /// Whether a message holds a whole book.
    static func isBook(_ text: UnsafeRawBufferPointer) -> Bool {
        let word = Array("\"event_type\":\"book\"".utf8)
        // Some write a space behind the colon.
        let spaced = Array("\"event_type\": \"book\"".utf8)
        return [word, spaced].contains { word in
            text.count >= word.count
                && (0...text.count - word.count).contains { text[$0..<$0 + word.count].elementsEqual(word) }
        }
    }

    private static func isKey(_ text: UnsafeRawBufferPointer, at index: Int) -> Bool {
        for offset in Self.key.indices where text[index + offset] != Self.key[offset] { return false }
        return true
    }
}
