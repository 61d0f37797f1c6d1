import Dispatch
public import Logging
public import OddsCore
public import ServiceLifecycle
import Synchronization

/// Records everything that the taps tell, into a directory.
///
/// What is told is copied into memory and written by a thread of its own: whatever the disk does, the stream goes on.
/// What does not fit or cannot be written is counted, and told in the recording where it is missing.
///
/// ```swift
/// let recorder = try Recorder(RecorderConfiguration(directory: "recording", program: "1.0", lines: 2), logger: logger)
/// try await recorder.prepare()
/// let streamer = try RealtimeOddsStreamer(configuration: odds, logger: logger, tap: recorder)
/// // Both run as services, the recorder first, so that it ends last.
/// ```
///
/// After a graceful shutdown everything told is on the disk before `run()` returns; the same when its task is cancelled.
/// Runs once.
public final class Recorder: FeedTap, Service {
    private let configuration: RecorderConfiguration
    private let clock: any StreamClock
    private let inbox: TapInbox
    private let worker = DispatchQueue(label: "oddstream.recording", qos: .utility)
    /// Held by the worker, or by the one who calls `flush()`.
    private let writer: Mutex<RecordingWriter>
    private let shared: Mutex<Shared>

    private struct Shared {
        var status: RecorderStatus
        var exchangeOffset: Int64?
        var isPrepared = false
        var isFinished = false
    }

    /// How often what was told is taken to be written.
    private static let interval = Duration.milliseconds(100)

    /// A recorder; nothing is opened before `prepare()`.
    ///
    /// - Parameters:
    ///   - configuration: where and how.
    ///   - logger: receives one message when something goes wrong and one when it is over.
    ///   - clock: the clocks that the taps' times are of; its present moment is what the rows' clock is anchored at.
    /// - Throws: `RecordingError` when there is no memory for the compression.
    public convenience init(
        _ configuration: RecorderConfiguration, logger: Logger, clock: any StreamClock
    ) throws(RecordingError) {
        try self.init(configuration, logger: logger, clock: clock) { path throws(SystemError) in
            try OutputFile(path: path, isNew: true)
        }
    }

    init(
        _ configuration: RecorderConfiguration, logger: Logger, clock: any StreamClock, open: @escaping FileOpener
    ) throws(RecordingError) {
        self.configuration = configuration
        self.clock = clock
        self.inbox = TapInbox(capacity: configuration.bufferSize)
        let anchor = clock.now()
        self.shared = Mutex(Shared(status: RecorderStatus(directory: configuration.directory)))
        self.writer = Mutex(
            try RecordingWriter(
                configuration: configuration, anchor: anchor, run: RecordingNames.run(anchor.unixNanoseconds),
                logger: logger, open: open))
    }

    // MARK: What is told

    /// Takes a copy of the message.
    public func received(
        _ text: UnsafeRawBufferPointer, on channel: FeedChannel, connection: Int, at now: ReceiveTime
    ) {
        self.inbox.add(text, on: channel, connection: connection, at: now)
    }

    /// Takes what happened to a connection.
    public func connection(
        _ event: FeedConnectionEvent, on channel: FeedChannel, connection: Int, at now: ReceiveTime
    ) {
        self.inbox.add(.connection(event, channel, connection), at: now)
    }

    /// Takes an exchange.
    public func answered(_ exchange: RESTExchange, at now: ReceiveTime) { self.inbox.add(.answer(exchange), at: now) }

    /// Takes a command.
    public func commanded(_ command: FeedCommand, at now: ReceiveTime) { self.inbox.add(.command(command), at: now) }

    /// Tells how far the exchange's clock is ahead of this machine's; what is known last is in the recording.
    public func setExchangeOffset(_ offset: Duration) {
        self.shared.withLock { $0.exchangeOffset = offset.wholeNanoseconds }
    }

    // MARK: Life

    /// Makes the directory ready and begins the first file, so that whoever starts the program learns at once when that
    /// cannot be done. Reads files through that an earlier run left unfinished.
    ///
    /// - Throws: `RecordingError` when the directory cannot be written, or when another process records into it.
    public func prepare() async throws(RecordingError) {
        let result: Result<Void, RecordingError> = await self.onWorker { self.prepareNow() }
        try result.get()
    }

    /// As `prepare()`, on the calling thread.
    public func prepareNow() -> Result<Void, RecordingError> {
        self.writer.withLock { writer in
            let isPrepared = self.shared.withLock { shared in
                defer { shared.isPrepared = true }
                return shared.isPrepared
            }
            if isPrepared { return .success(()) }
            do throws(RecordingError) {
                try writer.prepare()
                self.publish(writer)
                return .success(())
            } catch {
                self.shared.withLock { $0.isPrepared = false }
                return .failure(error)
            }
        }
    }

    /// Records until a graceful shutdown or the task's cancellation, and writes what is left.
    ///
    /// - Throws: `RecordingError` when it was not prepared and that fails now.
    public func run() async throws {
        try await self.prepare()
        // It throws only when it is cancelled, and then what is left is written all the same.
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.onWorker { self.flush() }
                try await self.clock.sleep(for: Self.interval)
            }
        }
        await self.onWorker { self.finish() }
    }

    /// Takes everything told so far into the recording, on the calling thread; blocks that are due are written. `run()`
    /// does it ten times a second.
    public func flush() { self.writer.withLock { self.step($0) } }

    /// Writes everything and ends the recording, on the calling thread; what is told later is dropped. `run()` does it at
    /// its end.
    public func finish() {
        self.inbox.close()
        self.writer.withLock { writer in
            let isDue = self.shared.withLock { shared in
                defer { shared.isFinished = true }
                return shared.isPrepared && !shared.isFinished
            }
            guard isDue else { return }
            self.take(writer)
            writer.finish(self.clock.now())
            self.publish(writer)
        }
    }

    private func step(_ writer: RecordingWriter) {
        guard self.shared.withLock({ $0.isPrepared && !$0.isFinished }) else { return }
        self.take(writer)
        let now = self.clock.now()
        if let offset = self.shared.withLock({ $0.exchangeOffset }) { writer.setExchangeOffset(offset, at: now) }
        writer.tick(now)
        self.publish(writer)
    }

    private func take(_ writer: RecordingWriter) {
        // Twice: the other region may have filled meanwhile.
        for _ in 0..<2 {
            guard let region = self.inbox.take() else { return }
            region.each(
                message: { writer.message($0, $1, $2, $3) },
                thing: { writer.thing($0, $1) })
            self.inbox.giveBack(region)
        }
    }

    private func publish(_ writer: RecordingWriter) {
        let status = writer.status
        self.shared.withLock { $0.status = status }
    }

    private func onWorker<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { (continuation: CheckedContinuation<Value, Never>) in
            self.worker.async { continuation.resume(returning: body()) }
        }
    }

    /// How the recording fares, as of the last tenth of a second.
    public var status: RecorderStatus { self.shared.withLock { $0.status } }
}
