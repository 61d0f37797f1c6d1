import Dispatch
import NIOCore
package import OddsCore

/// An event loop whose time is that of a recording: it stands still until it is told to go on, and runs every timer at
/// exactly its deadline, earlier ones first, those of one moment in the order in which they were set.
///
/// Going on without a timer in between costs a comparison: that happens for every frame of a recording.
final class ReplayLoop: EventLoop, @unchecked Sendable {
    // Made, driven and asked on one thread: that of the replay.
    private final class Timer {
        var body: (() -> Void)?
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private struct Entry {
        let due: Int64
        let number: UInt64
        let timer: Timer

        func precedes(_ other: Entry) -> Bool {
            self.due != other.due ? self.due < other.due : self.number < other.number
        }
    }

    /// Nanoseconds since the beginning.
    private(set) var time: Int64 = 0
    /// When the next timer is due; `max` when there is none.
    private var nextDue = Int64.max
    private var heap: [Entry] = []
    private var lastNumber: UInt64 = 0
    private var tasks: [() -> Void] = []

    // MARK: Time

    /// Lets time pass until this moment, timers that are due at it included. Time does not run backwards.
    @inline(__always)
    func pass(until moment: Int64) {
        if moment < self.nextDue {
            if moment > self.time { self.time = moment }
        } else {
            self.runTimers(until: moment)
        }
    }

    private func runTimers(until moment: Int64) {
        self.runTasks()
        while let first = self.heap.first, first.due <= moment {
            self.removeFirst()
            guard let body = first.timer.body else { continue }
            first.timer.body = nil
            if first.due > self.time { self.time = first.due }
            body()
            self.runTasks()
        }
        if moment > self.time { self.time = moment }
    }

    /// Does what was to be done as soon as possible.
    @inline(__always)
    func runTasks() {
        if !self.tasks.isEmpty { self.runAllTasks() }
    }

    private func runAllTasks() {
        while !self.tasks.isEmpty {
            let tasks = self.tasks
            self.tasks.removeAll(keepingCapacity: true)
            for task in tasks { task() }
        }
    }

    // MARK: The heap

    private func add(_ body: @escaping () -> Void, due: Int64) -> Timer {
        let timer = Timer(body)
        self.lastNumber += 1
        self.heap.append(Entry(due: due, number: self.lastNumber, timer: timer))
        var child = self.heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.heap[child].precedes(self.heap[parent]) else { break }
            self.heap.swapAt(child, parent)
            child = parent
        }
        self.nextDue = self.heap[0].due
        return timer
    }

    private func removeFirst() {
        self.heap.swapAt(0, self.heap.count - 1)
        self.heap.removeLast()
        var parent = 0
        while true {
            var first = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.heap.count && self.heap[child].precedes(self.heap[first]) { first = child }
            guard first != parent else { break }
            self.heap.swapAt(first, parent)
            parent = first
        }
        self.nextDue = self.heap.first?.due ?? .max
    }

    // MARK: EventLoop

    var inEventLoop: Bool { true }
    var now: NIODeadline { .uptimeNanoseconds(UInt64(self.time)) }
    func preconditionInEventLoop(file: StaticString, line: UInt) {}

    func execute(_ task: @escaping @Sendable () -> Void) { self.tasks.append(task) }

    @discardableResult
    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        self.schedule(due: Int64(clamping: deadline.uptimeNanoseconds), task)
    }

    @discardableResult
    func scheduleTask<T>(in wait: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        let (due, overflow) = self.time.addingReportingOverflow(max(0, wait.nanoseconds))
        return self.schedule(due: overflow ? .max : due, task)
    }

    private func schedule<T>(due: Int64, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        let promise = self.makePromise(of: T.self)
        let timer = self.add(
            {
                do {
                    promise.assumeIsolated().succeed(try task())
                } catch {
                    promise.fail(error)
                }
            }, due: due)
        let bound = NIOLoopBound(timer, eventLoop: self)
        return Scheduled(promise: promise) { bound.value.body = nil }
    }

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        self.heap = []
        self.nextDue = .max
        self.tasks = []
        queue.async { callback(nil) }
    }
}

/// A recording's time, as both clocks.
package final class ReplayClock: StreamClock, @unchecked Sendable {
    // The loop is only asked for its time, on the thread that drives it.
    private let loop: ReplayLoop
    /// Both clocks at the loop's beginning.
    private var beginning: Int64
    private var monotonic: Int64

    init(_ loop: ReplayLoop, beginning: Int64, monotonic: Int64) {
        self.loop = loop
        self.beginning = beginning
        self.monotonic = monotonic
    }

    /// The loop is at its beginning, and that is now.
    func set(beginning: ReceiveTime) {
        self.beginning = beginning.unixNanoseconds
        self.monotonic = beginning.monotonic.nanoseconds
    }

    /// How much the wall clock differs from the time that ran on: it was set, or time was passed over.
    var step: Int64 = 0

    package func now() -> ReceiveTime {
        let now = self.loop.time
        return ReceiveTime(
            monotonic: MonotonicTime(nanoseconds: self.monotonic &+ now),
            unixNanoseconds: self.beginning &+ now &+ self.step)
    }

    package func sleep(until instant: MonotonicTime) async throws {
        preconditionFailure("nothing sleeps in a replay: the event loop has timers")
    }
}
