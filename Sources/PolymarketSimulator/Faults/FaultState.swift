internal import OddsCore

/// Which faults are in force, and what becomes of what the venue says, as a machine: time and frames go in, commands come
/// out. The exchange acts.
struct FaultState: Sendable {
    /// A fault in force.
    struct Active: Sendable {
        let number: Int
        let fault: SimulatorFault
        let subject: FaultSubject
        let until: MonotonicTime
        /// The connections it is bound to; nil for every one, those to come too.
        var lines: Set<Int>?
        /// How many frames it still touches, by connection; nil without such a limit.
        var remaining: [Int: Int]?

        func hits(_ line: Int, now: MonotonicTime) -> Bool {
            now < self.until && self.lines?.contains(line) ?? true
        }

        var isSpent: Bool { self.lines?.isEmpty == true || self.remaining?.isEmpty == true }
    }

    /// What one connection is sent.
    typealias Outgoing = (line: Int, commands: [WebSocketCommand])

    private struct Queued: Sendable {
        var due: MonotonicTime
        var number: Int
        /// Whether it is part of the order that a delay keeps.
        var isOrdered: Bool
        var command: WebSocketCommand
    }

    private struct Line: Sendable {
        let id: Int
        var generator: SplitMix64
        var queue: [Queued] = []
        var queued = 0
        var orderedUntil = MonotonicTime(nanoseconds: .min)
        /// The frame that waits for its neighbour to overtake it.
        var waiting: ClosedRange<Int>?
        var isHalfOpen = false
        var isOver = false

        /// Sends at the time, and not before what is in order ahead of it.
        mutating func send(_ command: WebSocketCommand, at due: MonotonicTime, now: MonotonicTime) -> WebSocketCommand?
        {
            let isBehind = self.queue.contains { $0.isOrdered }
            let due = isBehind ? max(due, self.orderedUntil) : due
            guard isBehind || due > now else { return command }
            self.orderedUntil = due
            self.enqueue(command, due: due, isOrdered: true)
            return nil
        }

        mutating func enqueue(_ command: WebSocketCommand, due: MonotonicTime, isOrdered: Bool) {
            self.queued += 1
            self.queue.append(Queued(due: due, number: self.queued, isOrdered: isOrdered, command: command))
        }

        mutating func takeDue(_ now: MonotonicTime) -> [WebSocketCommand] {
            guard self.queue.contains(where: { $0.due <= now }) else { return [] }
            let due = self.queue.filter { $0.due <= now }.sorted { ($0.due, $0.number) < ($1.due, $1.number) }
            self.queue.removeAll { $0.due <= now }
            if let waiting = self.waiting, due.contains(where: { waiting.contains($0.number) }) { self.waiting = nil }
            return due.map(\.command)
        }

        /// The frame that has waited for a neighbour, with its copies.
        mutating func takeWaiting() -> [WebSocketCommand] {
            guard let waiting = self.waiting else { return [] }
            self.waiting = nil
            let taken = self.queue.filter { waiting.contains($0.number) }.map(\.command)
            self.queue.removeAll { waiting.contains($0.number) }
            return taken
        }
    }

    /// How long a frame without a neighbour waits for one.
    private static let neighbourWait = Duration.seconds(1)

    private let seed: UInt64
    /// What its connections are of: nil for the market channel.
    private let api: FaultTarget.API?
    /// In the order in which they work on a frame.
    private(set) var active: [Active] = []
    /// In order of arrival.
    private var lines: [Line] = []
    private var injected = 0

    /// No fault in force. What is left to chance follows from the seed.
    init(seed: UInt64 = 0, api: FaultTarget.API? = nil) {
        self.seed = seed
        self.api = api
    }

    // MARK: Connections

    /// A connection has been made.
    mutating func opened(_ id: Int) {
        let seed = Deterministic.mix(self.seed ^ Deterministic.mix(UInt64(truncatingIfNeeded: id)))
        self.lines.append(Line(id: id, generator: SplitMix64(seed: seed)))
    }

    /// A connection is gone, and what was bound to it alone.
    mutating func closed(_ id: Int) {
        self.lines.removeAll { $0.id == id }
        for index in self.active.indices {
            self.active[index].lines?.remove(id)
            self.active[index].remaining?[id] = nil
        }
        self.active.removeAll(where: \.isSpent)
    }

    private func index(_ id: Int) -> Int? { self.lines.firstIndex { $0.id == id } }

    /// The connections a fault begins with; nil when there is none where the target points.
    func lines(of target: FaultTarget) -> [Int]? {
        let open = self.lines.filter { !$0.isHalfOpen && !$0.isOver }.map(\.id)
        switch target.line {
        case nil: return open
        case .number(let number): return open.indices.contains(number) ? [open[number]] : nil
        case .newest: return open.last.map { [$0] }
        case .oldest: return open.first.map { [$0] }
        }
    }

    // MARK: Beginning and end

    /// A fault begins; gives what that asks for at once. Nothing happens when its target has no such connection.
    mutating func inject(_ fault: SimulatorFault, about subject: FaultSubject, now: MonotonicTime) -> [Outgoing] {
        let aimsAtLine = fault.kind.aim.contains(.line) && fault.target.line != nil
        guard let lines = self.lines(of: aimsAtLine ? fault.target : .all) else { return [] }
        self.injected += 1
        switch fault.kind {
        case .drop: return self.say(.drop, on: lines, isLast: true)
        case .close(let code, let reason): return self.say(.close(code: code, reason: reason), on: lines, isLast: true)
        case .oversize(let bytes): return self.say(.text(Self.oversizeFrame(bytes)), on: lines, isLast: false)
        case .recover: return self.recover(now: now)
        case .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .duplicate, .reorder, .corrupt, .truncate, .cut,
            .wrongHash, .lose, .restError, .restSlow, .restHang, .restReset, .restStale, .ghostBook, .missingMarket,
            .clockSkew, .gap:
            break
        }
        var active = Active(
            number: self.injected, fault: fault, subject: subject,
            until: fault.duration.map { now.advanced(by: $0) } ?? MonotonicTime(nanoseconds: .max))
        if aimsAtLine { active.lines = Set(lines) }
        var commands: [Outgoing] = []
        if fault.kind == .halfOpen {
            active.lines = Set(lines)
            for index in self.lines.indices where lines.contains(self.lines[index].id) {
                self.lines[index].isHalfOpen = true
            }
            commands = lines.map { ($0, [.pause]) }
        }
        // Of REST answers every one is touched: they belong to no connection of the channel.
        if case .next(let count) = fault.kind.choice, fault.target.api == self.api {
            active.remaining = Dictionary(uniqueKeysWithValues: lines.map { ($0, max(1, count)) })
        }
        guard !active.isSpent else { return commands }
        let place = self.active.firstIndex { $0.fault.kind.stage > fault.kind.stage } ?? self.active.endIndex
        self.active.insert(active, at: place)
        return commands
    }

    private mutating func say(_ command: WebSocketCommand, on lines: [Int], isLast: Bool) -> [Outgoing] {
        for index in self.lines.indices where isLast && lines.contains(self.lines[index].id) {
            self.lines[index].isOver = true
            self.lines[index].queue = []
        }
        return lines.map { ($0, [command]) }
    }

    private mutating func recover(now: MonotonicTime) -> [Outgoing] {
        self.active = []
        for index in self.lines.indices {
            // What was late comes now, in the order in which it would have come.
            let late = self.lines[index].takeDue(MonotonicTime(nanoseconds: .max))
            for command in late { self.lines[index].enqueue(command, due: now, isOrdered: true) }
            self.lines[index].orderedUntil = now
        }
        return self.due(now: now)
    }

    // MARK: Time

    /// Faults whose time is over end; gives what connections are to be sent by now, in order of arrival.
    mutating func due(now: MonotonicTime) -> [Outgoing] {
        self.active.removeAll { $0.until <= now }
        var outgoing: [Outgoing] = []
        for index in self.lines.indices {
            let id = self.lines[index].id
            var commands: [WebSocketCommand] = []
            if self.lines[index].isHalfOpen {
                self.lines[index].queue.removeAll { $0.due <= now }
                if !self.active.contains(where: { $0.fault.kind == .halfOpen && $0.hits(id, now: now) }) {
                    self.lines[index].isHalfOpen = false
                    commands.append(.resume)
                }
            } else if !self.lines[index].isOver {
                commands = self.lines[index].takeDue(now)
            }
            if !commands.isEmpty { outgoing.append((id, commands)) }
        }
        return outgoing
    }

    /// When `due` is next worth while; nil when nothing waits.
    var nextDue: MonotonicTime? {
        let ends = self.active.map(\.until).filter { $0.nanoseconds < .max }
        return (ends + self.lines.flatMap { $0.queue.map(\.due) }).min()
    }

    // MARK: The market channel

    /// How a new connection to the market channel is turned away; nil when it is let in.
    func refusal(now: MonotonicTime) -> SimulatorFault.Refusal? {
        for active in self.newestFirst(now) { if case .refuse(let refusal) = active.fault.kind { return refusal } }
        return nil
    }

    /// Whether what a connection says waits to be read until it heals.
    func isHalfOpen(_ id: Int) -> Bool { self.index(id).map { self.lines[$0].isHalfOpen } ?? false }

    /// Whether nothing is said to a connection: it is half-open, or over.
    func isDeaf(_ id: Int) -> Bool { self.index(id).map { self.lines[$0].isHalfOpen || self.lines[$0].isOver } ?? true }

    /// Whether a subscription gets a first book of an asset.
    func sendsSnapshot(of asset: String, series: String?, to id: Int, now: MonotonicTime) -> Bool {
        !self.active.contains { active in
            switch active.fault.kind {
            case .freeze, .noSnapshot: active.hits(id, now: now) && active.subject.covers(asset, series: series)
            case .drop, .close, .refuse, .halfOpen, .delay, .duplicate, .reorder, .corrupt, .truncate, .cut, .oversize,
                .wrongHash, .lose, .restError, .restSlow, .restHang, .restReset, .restStale, .ghostBook,
                .missingMarket, .clockSkew, .gap, .recover:
                false
            }
        }
    }

    /// What becomes of an answer to a connection that is no data, such as `PONG`: late at most.
    mutating func reply(_ command: WebSocketCommand, to id: Int, now: MonotonicTime) -> [WebSocketCommand] {
        guard let index = self.index(id), !self.isDeaf(id) else { return [] }
        let due = now.advanced(by: self.delay(of: id, now: now))
        return self.lines[index].send(command, at: due, now: now).map { [$0] } ?? []
    }

    private func delay(of id: Int, now: MonotonicTime) -> Duration {
        var delay = Duration.zero
        for active in self.active where active.hits(id, now: now) {
            if case .delay(let time) = active.fault.kind { delay = max(delay, time) }
        }
        return delay
    }

    /// What becomes of a frame of data on its way to a connection: what of it is sent now. `series` tells an asset's.
    mutating func send(
        _ frame: DataFrame, to id: Int, now: MonotonicTime, series: (String) -> String? = { _ in nil }
    ) -> [WebSocketCommand] {
        guard let place = self.index(id), !self.isDeaf(id) else { return [] }
        if self.active.isEmpty, self.lines[place].queue.isEmpty { return [.text(frame.bytes)] }
        var fate = FrameFate(bytes: frame.bytes)
        for index in self.active.indices where self.active[index].hits(id, now: now) {
            let active = self.active[index]
            guard self.isAbout(active, frame, series), self.isChosen(index, place) else { continue }
            guard
                fate.suffer(
                    active.fault.kind, about: active.subject, series: series, using: &self.lines[place].generator)
            else { continue }
            self.count(index, id)
            if fate.isLost { break }
        }
        self.active.removeAll(where: \.isSpent)
        return self.carryOut(fate, on: place, now: now)
    }

    private func isAbout(_ active: Active, _ frame: DataFrame, _ series: (String) -> String?) -> Bool {
        guard active.fault.target.api == self.api else { return false }
        if active.subject == .everything { return true }
        return frame.assets.contains { active.subject.covers($0, series: series($0)) }
    }

    private mutating func isChosen(_ index: Int, _ place: Int) -> Bool {
        switch self.active[index].fault.kind.choice {
        case .share(let share): self.lines[place].generator.chance(share)
        case .next: self.active[index].remaining?[self.lines[place].id] != nil
        case .every, nil: true
        }
    }

    private mutating func count(_ index: Int, _ id: Int) {
        guard let left = self.active[index].remaining?[id] else { return }
        self.active[index].remaining?[id] = left > 1 ? left - 1 : nil
    }

    private mutating func carryOut(_ fate: FrameFate, on place: Int, now: MonotonicTime) -> [WebSocketCommand] {
        guard !fate.isLost else { return [] }
        let due = now.advanced(by: self.delay(of: self.lines[place].id, now: now))
        if fate.isCut {
            let waiting = self.lines[place].queue.filter(\.isOrdered).map(\.command)
            self.lines[place].queue = []
            self.lines[place].isOver = true
            return waiting + [.cut(fate.bytes)]
        }
        let copies = Array(repeating: WebSocketCommand.text(fate.bytes), count: fate.copies)
        if let late = fate.lateness {
            for copy in copies { self.lines[place].enqueue(copy, due: due.advanced(by: late), isOrdered: false) }
            return []
        }
        if fate.waits, self.lines[place].waiting == nil {
            let first = self.lines[place].queued + 1
            let until = due.advanced(by: Self.neighbourWait)
            for copy in copies { self.lines[place].enqueue(copy, due: until, isOrdered: false) }
            self.lines[place].waiting = first...self.lines[place].queued
            return []
        }
        let overtaken = self.lines[place].takeWaiting()
        return (copies + overtaken).compactMap { self.lines[place].send($0, at: due, now: now) }
    }

    private static func oversizeFrame(_ bytes: Int) -> [UInt8] {
        let head = Array(#"{"event_type":"oversize","padding":""#.utf8)
        let tail = Array("\"}".utf8)
        return head + [UInt8](repeating: 0x78, count: max(0, bytes - head.count - tail.count)) + tail
    }

    // MARK: What else is asked

    /// Those in force, the newest first: it decides where only one can.
    func newestFirst(_ now: MonotonicTime) -> [Active] {
        self.active.filter { now < $0.until }.sorted { $0.number > $1.number }
    }

    /// How far the venue's clock is ahead.
    func clockSkew(now: MonotonicTime) -> Duration {
        for active in self.newestFirst(now) { if case .clockSkew(let skew) = active.fault.kind { return skew } }
        return .zero
    }
}

/// What becomes of one frame on one connection.
struct FrameFate: Sendable {
    var bytes: [UInt8]
    var copies = 1
    var isLost = false
    var isCut = false
    /// Whether it lets the next one pass.
    var waits = false
    var lateness: Duration?

    /// A fault takes hold of it; false when the fault finds nothing in this frame to take hold of.
    mutating func suffer(
        _ kind: SimulatorFault.Kind, about subject: FaultSubject, series: (String) -> String?,
        using generator: inout SplitMix64
    ) -> Bool {
        switch kind {
        case .freeze:
            let rest =
                subject == .everything
                ? nil : FrameSurgery.removing({ subject.covers($0, series: series($0)) }, from: self.bytes)
            self.isLost = rest == nil
            self.bytes = rest ?? []
        case .lose: self.isLost = true
        case .wrongHash:
            let wrong = FrameSurgery.withWrongHashes(self.bytes)
            guard wrong != self.bytes else { return false }
            self.bytes = wrong
        case .corrupt(.size, _):
            guard let wrong = FrameSurgery.withWrongSize(self.bytes, using: &generator) else { return false }
            self.bytes = wrong
        case .corrupt(.syntax, _): self.bytes = FrameSurgery.withBrokenSyntax(self.bytes, using: &generator)
        case .corrupt(.encoding, _): self.bytes = FrameSurgery.withBrokenEncoding(self.bytes, using: &generator)
        case .truncate: self.bytes = Array(self.bytes.prefix(self.bytes.count / 2))
        case .cut: self.isCut = true
        case .duplicate: self.copies = 2
        case .reorder(.neighbours, _): self.waits = true
        case .reorder(.late(let limit), _):
            self.lateness = .nanoseconds(Int64(Double(limit.wholeNanoseconds) * generator.unit()))
        case .drop, .close, .refuse, .halfOpen, .noSnapshot, .delay, .oversize, .restError, .restSlow, .restHang,
            .restReset, .restStale, .ghostBook, .missingMarket, .clockSkew, .gap, .recover:
            return false
        }
        return true
    }
}

extension SimulatorFault.Kind {
    /// When it works on a frame, among others: what leaves things out comes before what spoils them.
    var stage: Int {
        switch self {
        case .freeze: 0
        case .lose: 1
        case .wrongHash: 2
        case .corrupt(.size, _): 3
        case .truncate: 4
        case .corrupt: 5
        case .cut: 6
        case .drop, .close, .refuse, .halfOpen, .noSnapshot, .delay, .duplicate, .reorder, .oversize, .restError,
            .restSlow, .restHang, .restReset, .restStale, .ghostBook, .missingMarket, .clockSkew, .gap, .recover:
            7
        }
    }
}
