import Logging
import NIOCore
import NIOPosix
import OddsCore
import OddsTestSupport
import Synchronization
import Testing

@testable import RealtimeOdds

/// Clocks that a test moves.
private final class HandClock: StreamClock {
    private let nanoseconds = Mutex<Int64>(1_000_000_000)

    func advance(_ duration: Duration) { self.nanoseconds.withLock { $0 += duration.wholeNanoseconds } }

    func now() -> ReceiveTime {
        self.nanoseconds.withLock {
            ReceiveTime(monotonic: MonotonicTime(nanoseconds: $0), unixNanoseconds: 1_700_000_000_000_000_000 + $0)
        }
    }

    func sleep(until instant: MonotonicTime) async throws { throw CancellationError() }
}

/// A socket that a test speaks through. On the event loop alone.
private final class HandSocket: FeedConnector, FeedTransport, @unchecked Sendable {
    var delegate: (any TransportDelegate)?
    var address: String { "test" }

    func connect(line: Int, delegate: any TransportDelegate) -> any FeedTransport {
        self.delegate = delegate
        return self
    }

    func write(_ bytes: [UInt8]) {}

    func close() {
        let delegate = self.delegate
        self.delegate = nil
        delegate?.transportClosed(nil)
    }

    func tell(_ text: String) {
        var text = text
        text.withUTF8 { self.delegate?.transportReceived(message: UnsafeRawBufferPointer($0)) }
        self.delegate?.transportReadComplete()
    }
}

private final class KeepingReader: MarketObserver {
    let reader = Mutex<(any FeedReader)?>(nil)
    func attached(to reader: any FeedReader) { self.reader.withLock { $0 = reader } }
    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {}
    func ended(_ market: Market, at now: ReceiveTime) {}
}

/// Books that are read later.
@Suite(.timeLimit(.minutes(1))) struct DepthQuestionTests {
    private static func book(_ bid: Price, _ time: Int64) -> String {
        "[\(WireFrames.book(market: "0xm", asset: "1", time: time, bids: [(bid, 5)], asks: [(0.6, 5)]))]"
    }

    /// On a busy machine timers are late, and reads that came meanwhile are worked on before them. What an order meets is
    /// the book of its moment all the same.
    @Test func aLateTimerReadsTheBookOfItsMoment() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let bids = try await loop.submit { () -> [Price?] in
            let clock = HandClock()
            let socket = HandSocket()
            let observer = KeepingReader()
            var configuration = RealtimeOddsConfiguration()
            configuration.lines = 1
            let host = FeedHost(
                configuration: configuration, connector: socket, witness: nil, eventLoop: loop, clock: clock,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, seed: 1, continuity: { _, _ in },
                marketObserver: observer)
            defer { _ = host.stop() }
            host.follow(bare: ["1"])
            socket.delegate?.transportConnected(socket)
            socket.tell(Self.book(0.4, 1))
            let answers = Mutex<[Price?]>([])
            let reader = try #require(observer.reader.withLock { $0 })
            let instant = clock.now().monotonic.advanced(by: .milliseconds(250))
            // The later one first: they are answered in the order of their moments.
            reader.depth(of: "1", at: instant.advanced(by: .milliseconds(200))) { depth, _ in
                answers.withLock { $0.append(depth?.bids.first?.price) }
            }
            reader.depth(of: "1", at: instant) { depth, _ in
                answers.withLock { $0.append(depth?.bids.first?.price) }
            }
            clock.advance(.milliseconds(240))
            socket.tell(Self.book(0.41, 2))
            // No timer has run: this is one task of the event loop.
            clock.advance(.milliseconds(100))
            #expect(answers.withLock { $0 }.isEmpty)
            socket.tell(Self.book(0.42, 3))
            #expect(answers.withLock { $0 } == [0.41])
            clock.advance(.milliseconds(500))
            socket.tell(Self.book(0.43, 4))
            return answers.withLock { $0 }
        }.get()
        #expect(bids == [0.41, 0.42])
    }

    /// Whoever asks gets one answer, also when the feed is gone.
    @Test func withoutAFeedThereIsAnAnswerToo() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            loop.execute {
                let clock = HandClock()
                let socket = HandSocket()
                let observer = KeepingReader()
                var configuration = RealtimeOddsConfiguration()
                configuration.lines = 1
                let host = FeedHost(
                    configuration: configuration, connector: socket, witness: nil, eventLoop: loop, clock: clock,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, seed: 1,
                    continuity: { _, _ in }, marketObserver: observer)
                host.follow(bare: ["1"])
                let instant = clock.now().monotonic.advanced(by: .milliseconds(20))
                observer.reader.withLock { $0 }?.depth(of: "1", at: instant) { depth, _ in
                    #expect(depth == nil)
                    continuation.resume()
                }
                _ = host.stop()
            }
        }
    }
}
