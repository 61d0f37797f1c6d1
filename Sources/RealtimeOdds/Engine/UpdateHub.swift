import OddsCore
import Synchronization

/// Hands changes to everyone who follows them. The feed's event loop speaks, any task listens; a slow listener never
/// holds the feed up.
final class UpdateHub: Sendable {
    private struct State {
        var subscribers: [ObjectIdentifier: UpdateSubscriber] = [:]
        var isFinished = false
    }

    private let state = Mutex(State())
    private let losslessCount = Atomic<Int>(0)
    private let count = Atomic<Int>(0)
    /// Told when a lossless subscriber comes or the last one goes: `hasLossless` and `settle` want a look on the feed's
    /// event loop. It says nothing itself, because two threads may tell their news in the wrong order.
    private let losslessChanged: @Sendable () -> Void

    init(losslessChanged: @escaping @Sendable () -> Void) { self.losslessChanged = losslessChanged }

    func subscribe(_ delivery: OddsUpdates.Delivery, startingWith slots: () -> [MarketSlot]) -> UpdateSubscriber {
        let subscriber = UpdateSubscriber(delivery)
        let finished = self.state.withLock { state in
            if !state.isFinished {
                state.subscribers[ObjectIdentifier(subscriber)] = subscriber
                self.count.add(1, ordering: .relaxed)
                if subscriber.isLossless { self.losslessCount.add(1, ordering: .relaxed) }
            }
            return state.isFinished
        }
        // Only now: what changes from here on is told, so that nothing falls in between.
        for slot in slots() { subscriber.begin(with: slot) }
        if finished {
            subscriber.finish()
        } else if subscriber.isLossless {
            self.losslessChanged()
        }
        return subscriber
    }

    func unsubscribe(_ subscriber: UpdateSubscriber) {
        guard self.state.withLock({ $0.subscribers.removeValue(forKey: ObjectIdentifier(subscriber)) }) != nil else {
            return
        }
        self.count.subtract(1, ordering: .relaxed)
        if subscriber.isLossless, self.losslessCount.subtract(1, ordering: .relaxed).newValue == 0 {
            self.losslessChanged()
        }
    }

    /// From now on every single change is told: lossless subscribers that came since the last call are brought up to
    /// this moment. On the feed's event loop, where nothing changes meanwhile.
    func settle(with slots: [MarketSlot]) {
        for subscriber in self.all where subscriber.isLossless { subscriber.settle(with: slots) }
    }

    /// Whether anyone wants every single change.
    var hasLossless: Bool { self.losslessCount.load(ordering: .relaxed) > 0 }

    private var all: [UpdateSubscriber] {
        self.count.load(ordering: .relaxed) == 0 ? [] : self.state.withLock { Array($0.subscribers.values) }
    }

    /// Markets changed; once per market and read from the socket, for those who want the newest values only.
    func changed(_ slot: MarketSlot, values: Bool, previousTrust: Trust?) {
        for subscriber in self.all where !subscriber.isLossless {
            subscriber.changed(slot, values: values, previousTrust: previousTrust)
        }
    }

    /// One single change, for those who want every one.
    func changedExactly(_ snapshot: OddsSnapshot, values: Bool, previousTrust: Trust?) {
        guard self.hasLossless else { return }
        for subscriber in self.all where subscriber.isLossless {
            subscriber.changedExactly(snapshot, values: values, previousTrust: previousTrust)
        }
    }

    /// Something that is no change of a slot: everybody gets it.
    func broadcast(_ update: OddsUpdate) {
        for subscriber in self.all { subscriber.append(update) }
    }

    /// The end: what waits is still delivered, then every sequence ends.
    func finish() {
        let subscribers = self.state.withLock { state in
            state.isFinished = true
            return Array(state.subscribers.values)
        }
        for subscriber in subscribers { subscriber.finish() }
    }
}

/// One follower's mailbox.
final class UpdateSubscriber: Sendable {
    private enum Item {
        case update(OddsUpdate)
        /// The newest values of a market, read when they are taken.
        case market(MarketSlot)
    }

    private struct Pending {
        var values: Bool
        var previousTrust: Trust?
    }

    private struct Beginning {
        /// Held so that its identity stays its own.
        let slot: MarketSlot
        let snapshot: OddsSnapshot
    }

    private struct State {
        var queue: [Item] = []
        var head = 0
        var pending: [ObjectIdentifier: Pending] = [:]
        /// What a lossless follower was given to begin with; empty once it hears every change.
        var begun: [ObjectIdentifier: Beginning] = [:]
        var isSettled = false
        var lost: UInt64 = 0
        var skipped: UInt64 = 0
        var isFinished = false
        var waiting: [(id: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        var nextWaiter: UInt64 = 0

        var waitingCount: Int { self.queue.count - self.head }

        mutating func pop() -> Item? {
            guard self.head < self.queue.count else { return nil }
            let item = self.queue[self.head]
            self.head += 1
            if self.head > 64, self.head * 2 > self.queue.count {
                self.queue.removeFirst(self.head)
                self.head = 0
            }
            return item
        }

        mutating func takeWaiting() -> [CheckedContinuation<Void, Never>] {
            let continuations = self.waiting.map(\.continuation)
            self.waiting = []
            return continuations
        }
    }

    private let state = Mutex(State())
    private let capacity: Int?

    init(_ delivery: OddsUpdates.Delivery) {
        switch delivery {
        case .latest: self.capacity = nil
        case .lossless(let capacity): self.capacity = Swift.max(1, capacity)
        }
    }

    var isLossless: Bool { self.capacity != nil }

    var skipped: UInt64 { self.state.withLock { $0.skipped } }

    func changed(_ slot: MarketSlot, values: Bool, previousTrust: Trust?) {
        self.mutate { state in
            let key = ObjectIdentifier(slot)
            if var pending = state.pending[key] {
                if values, pending.values { state.skipped += 1 }
                pending.values = pending.values || values
                pending.previousTrust = pending.previousTrust ?? previousTrust
                state.pending[key] = pending
            } else {
                state.pending[key] = Pending(values: values, previousTrust: previousTrust)
                state.queue.append(.market(slot))
            }
        }
    }

    /// The values that are there when the follower comes.
    func begin(with slot: MarketSlot) {
        guard let snapshot = slot.read() else { return }
        guard self.isLossless else { return self.changed(slot, values: true, previousTrust: nil) }
        self.mutate { state in
            // Already settled: what the event loop gave is at least as new.
            guard !state.isSettled else { return }
            state.begun[ObjectIdentifier(slot)] = Beginning(slot: slot, snapshot: snapshot)
            state.queue.append(.update(.odds(snapshot)))
        }
    }

    /// Hears every change from now on; what has changed since the beginning is told as one change.
    func settle(with slots: [MarketSlot]) {
        self.mutate { state in
            guard !state.isSettled else { return }
            state.isSettled = true
            for slot in slots {
                guard let snapshot = slot.read() else { continue }
                let begun = state.begun[ObjectIdentifier(slot)]?.snapshot
                guard snapshot.sequence != begun?.sequence else { continue }
                if let begun, begun.trust != snapshot.trust || begun.epoch != snapshot.epoch {
                    self.append(.trust(snapshot, previous: begun.trust), to: &state)
                }
                self.append(.odds(snapshot), to: &state)
            }
            state.begun = [:]
        }
    }

    /// One single change. Before `settle` it is passed over: `settle` tells what it led to.
    func changedExactly(_ snapshot: OddsSnapshot, values: Bool, previousTrust: Trust?) {
        self.mutate { state in
            guard state.isSettled else { return }
            if let previousTrust { self.append(.trust(snapshot, previous: previousTrust), to: &state) }
            if values { self.append(.odds(snapshot), to: &state) }
        }
    }

    func append(_ update: OddsUpdate) { self.mutate { self.append(update, to: &$0) } }

    private func append(_ update: OddsUpdate, to state: inout State) {
        if let capacity = self.capacity, state.waitingCount >= capacity {
            state.lost += 1
            state.skipped += 1
            return
        }
        if state.lost > 0 {
            // Room again: the loss is told where it happened, before what comes after it.
            state.queue.append(.update(.overflow(lost: state.lost)))
            state.lost = 0
        }
        state.queue.append(.update(update))
    }

    func finish() { self.mutate { $0.isFinished = true } }

    private func mutate(_ change: (inout State) -> Void) {
        let continuations = self.state.withLock { state in
            change(&state)
            return state.takeWaiting()
        }
        for continuation in continuations { continuation.resume() }
    }

    private enum Taken {
        case update(OddsUpdate)
        case end
        case nothing
    }

    private func take() -> Taken {
        self.state.withLock { state in
            while let item = state.pop() {
                switch item {
                case .update(let update): return .update(update)
                case .market(let slot):
                    guard let pending = state.pending[ObjectIdentifier(slot)], let snapshot = slot.read() else {
                        continue
                    }
                    if let previous = pending.previousTrust, pending.values {
                        // Two things to tell: trust first, the values next time.
                        state.pending[ObjectIdentifier(slot)] = Pending(values: true)
                        state.queue.insert(.market(slot), at: state.head)
                        return .update(.trust(snapshot, previous: previous))
                    }
                    state.pending[ObjectIdentifier(slot)] = nil
                    if let previous = pending.previousTrust { return .update(.trust(snapshot, previous: previous)) }
                    return .update(.odds(snapshot))
                }
            }
            if state.lost > 0 {
                let lost = state.lost
                state.lost = 0
                return .update(.overflow(lost: lost))
            }
            return state.isFinished ? .end : .nothing
        }
    }

    /// The next update; nil at the end, or when the task is cancelled.
    func next() async -> OddsUpdate? {
        while true {
            switch self.take() {
            case .update(let update): return update
            case .end: return nil
            case .nothing:
                if Task.isCancelled { return nil }
                await self.wait()
            }
        }
    }

    /// Returns when there may be something to take, or on cancellation.
    private func wait() async {
        let id = self.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = self.state.withLock { state in
                    if state.waitingCount > 0 || state.lost > 0 || state.isFinished || Task.isCancelled { return true }
                    state.waiting.append((id, continuation))
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiting.remove(at: index).continuation
            }
            continuation?.resume()
        }
    }
}
