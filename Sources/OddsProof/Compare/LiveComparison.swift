package import Logging
package import OddsCore
package import PolymarketSimulator
package import RealtimeOdds
import ServiceLifecycle
import Synchronization

/// The stream and pollers side by side in real time, against any exchange: it listens to them, and says what it heard.
///
/// What is heard is kept in a list and taken in beside the stream, so that listening costs the stream next to nothing.
package final class LiveComparison: Service {
    fileprivate enum Heard: Sendable {
        case shown(OddsSnapshot, at: Int64)
        case answered(PollAnswer)
        case truth(MarketTops, Market, Timestamp, at: Int64)
        case ended(MarketID, at: Int64)
    }

    /// What was heard and not taken in yet.
    fileprivate final class Inbox: Sendable {
        private let heard = Mutex<[Heard]>([])
        func add(_ event: Heard) { self.heard.withLock { $0.append(event) } }
        func take() -> [Heard] {
            self.heard.withLock { heard in
                defer { heard = [] }
                return heard
            }
        }
    }

    private let inbox = Inbox()
    private let meter: Mutex<CompareMeter>
    private let clock: any StreamClock
    private let simulator: PolymarketSimulator?
    private let plan: FaultPlan
    private let series: [MarketSeries]
    private let duration: Duration
    private let progress: @Sendable (Double) -> Void
    private let source = Mutex<RealtimeOddsStreamer?>(nil)
    private let waiting = Mutex<[(market: MarketID, at: Int64)]>([])

    /// How often what was heard is taken in.
    private static let pause = Duration.milliseconds(5)
    /// How long after a market's end answers that are out may come.
    private static let settling: Int64 = 3_000_000_000

    /// A comparison that has heard nothing.
    ///
    /// - Parameters:
    ///   - pollers: how often each poller asks.
    ///   - simulator: the exchange, when it is in this process and running: then what is visible is known.
    ///   - plan: what goes wrong there, from the beginning of `run` on.
    ///   - series: the exchange's windows, of which each counts whether the stream follows it or not.
    ///   - duration: how long it is to take; progress is told as a share of it.
    package init(
        configuration: CompareConfiguration, pollers: [Duration], simulator: PolymarketSimulator?,
        plan: FaultPlan = FaultPlan(), series: [MarketSeries] = [], duration: Duration, clock: any StreamClock,
        progress: @escaping @Sendable (Double) -> Void
    ) {
        var configuration = configuration
        configuration.truth = simulator == nil ? .union : .exchange
        self.meter = Mutex(
            CompareMeter(configuration, sources: [.stream] + pollers.map { CompareSource.poller($0) }))
        self.clock = clock
        self.simulator = simulator
        self.plan = plan
        self.series = series
        self.duration = duration
        self.progress = progress
    }

    /// What the stream is to be given, to be listened to.
    package var streamObserver: any MarketObserver { StreamListener(self.inbox) }

    /// The stream that is listened to: which markets are looked at in the exchange follows from it.
    package func follow(_ streamer: RealtimeOddsStreamer) { self.source.withLock { $0 = streamer } }

    /// A listener for a poller, by its place in the list of intervals.
    package func listener(for poller: Int) -> PollListener { PollListener(self.inbox, poller + 1, self.clock) }

    /// Listens until it is told to end.
    package func run() async throws {
        let begin = self.clock.now()
        self.meter.withLock { meter in
            for planned in self.plan.faults { meter.fault(CompareFault(planned, begin: begin.unixNanoseconds)) }
        }
        self.simulator?.follow(self.plan)
        await cancelWhenGracefulShutdown {
            var markets: [Market] = []
            var refreshed: MonotonicTime?
            var isLooking = false
            while !Task.isCancelled {
                let now = self.clock.now()
                if refreshed.map({ $0.duration(to: now.monotonic) >= .milliseconds(200) }) ?? true {
                    refreshed = now.monotonic
                    let followed = self.source.withLock { $0 }?.markets.filter(\.subscribed).map(\.market) ?? []
                    // A stream that comes late to a market has missed what happened there; before the first one is
                    // followed, nobody looks yet.
                    isLooking = isLooking || !followed.isEmpty
                    markets = followed
                    if isLooking {
                        let ids = Set(followed.map(\.id))
                        markets += self.windows(at: now.wall).filter { !ids.contains($0.id) }
                    }
                    self.progress(begin.monotonic.duration(to: now.monotonic).secondsValue / self.duration.secondsValue)
                }
                self.look(at: markets)
                self.takeIn(now.unixNanoseconds)
                // It throws only when it is cancelled, and then the loop ends.
                try? await self.clock.sleep(until: now.monotonic.advanced(by: Self.pause))
            }
        }
    }

    /// The windows that are on in the exchange now.
    private func windows(at now: Timestamp) -> [Market] {
        guard let simulator = self.simulator else { return [] }
        return self.series.compactMap { series in
            series.slugs(for: series.window(containing: now)).lazy.compactMap { simulator.market(slug: $0) }.first
        }
    }

    private func look(at markets: [Market]) {
        guard let simulator = self.simulator else { return }
        for market in markets {
            guard let truth = simulator.truth(market.id) else { continue }
            let now = self.clock.now().unixNanoseconds
            self.inbox.add(.truth(MarketTops(truth), market, truth.bookTime, at: now))
        }
    }

    private func takeIn(_ now: Int64) {
        let heard = self.inbox.take()
        self.meter.withLock { meter in
            for event in heard {
                switch event {
                case .shown(let odds, let time): meter.showed(odds, at: time)
                case .answered(let answer): meter.polled(answer)
                case .truth(let tops, let market, let stamp, let time):
                    meter.truth(tops, of: market, stamp: stamp, at: time)
                case .ended(let market, let time): self.waiting.withLock { $0.append((market, time)) }
                }
            }
            let over = self.waiting.withLock { waiting in
                let over = waiting.filter { $0.at + Self.settling <= now }
                waiting.removeAll { $0.at + Self.settling <= now }
                return over
            }
            for (market, time) in over { meter.ended(market, at: time) }
        }
    }

    /// What was heard so far, as figures; the end.
    package func finish() -> CompareFigures {
        let now = self.clock.now().unixNanoseconds
        self.takeIn(now)
        return self.meter.withLock { meter in
            for (market, time) in self.waiting.withLock({ $0 }) { meter.ended(market, at: time) }
            var figures = meter.finish(at: now)
            figures.mode = self.simulator == nil ? "live" : "simulated"
            return figures
        }
    }
}

/// Hears the stream.
private struct StreamListener: MarketObserver {
    private let inbox: LiveComparison.Inbox

    init(_ inbox: LiveComparison.Inbox) { self.inbox = inbox }

    func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {
        self.inbox.add(.shown(snapshot, at: now.unixNanoseconds))
    }

    func ended(_ market: Market, at now: ReceiveTime) { self.inbox.add(.ended(market.id, at: now.unixNanoseconds)) }
}

/// Hears one poller: it is its observer, and stands between it and its HTTP client.
package final class PollListener: MarketObserver, RESTTransport {
    private struct Question {
        var asked: Int64
        var answered: Int64
        var book: RESTBook?
        var failure: String?
    }

    private struct Memory {
        weak var poller: MarketOddsPoller?
        var next: (any RESTTransport)?
        /// Questions for a YES token that the poller has said nothing about yet.
        var open: [AssetID: Question] = [:]
    }

    private let inbox: LiveComparison.Inbox
    private let source: Int
    private let clock: any StreamClock
    private let memory = Mutex(Memory())

    fileprivate init(_ inbox: LiveComparison.Inbox, _ source: Int, _ clock: any StreamClock) {
        self.inbox = inbox
        self.source = source
        self.clock = clock
    }

    /// Makes the poller that is listened to, over a transport that the caller ends.
    package func poller(
        _ configuration: RealtimeOddsConfiguration, over transport: any RESTTransport, logger: Logger
    ) throws -> MarketOddsPoller {
        self.memory.withLock { $0.next = transport }
        let poller = try MarketOddsPoller(
            configuration: configuration, logger: logger, clock: self.clock, transport: self, marketObserver: self)
        self.memory.withLock { $0.poller = poller }
        return poller
    }

    // MARK: Between the poller and its client

    package func get(_ url: String, timeout: Duration) async throws(RESTError) -> RESTResponse {
        guard let next = self.memory.withLock({ $0.next }) else {
            throw RESTError(.unreachable, "the poller has no client")
        }
        let parts = url.split(separator: "?token_id=", maxSplits: 1)
        guard parts.count == 2, parts[0].hasSuffix("/book") else { return try await next.get(url, timeout: timeout) }
        let asset = AssetID(String(parts[1]))
        self.unanswered(asset)
        let asked = self.clock.now().unixNanoseconds
        do throws(RESTError) {
            let response = try await next.get(url, timeout: timeout)
            let book = try? ClobClient.book(of: asset, in: response, url: url)
            self.note(
                asset, asked, book, failure: book == nil ? "status \(response.status)" : nil)
            return response
        } catch {
            self.note(asset, asked, nil, failure: error.message)
            throw error
        }
    }

    private func note(_ asset: AssetID, _ asked: Int64, _ book: RESTBook?, failure: String?) {
        let answered = self.clock.now().unixNanoseconds
        self.memory.withLock {
            $0.open[asset] = Question(asked: asked, answered: answered, book: book, failure: failure)
        }
    }

    /// The poller asks again, and has not said that it believed the last answer.
    private func unanswered(_ asset: AssetID) {
        let (question, poller) = self.memory.withLock { ($0.open.removeValue(forKey: asset), $0.poller) }
        guard let question, let market = poller?.markets.map(\.market).first(where: { $0.yes.asset == asset }) else {
            return
        }
        let odds = question.book.flatMap { RESTOdds(market: market, yes: $0, no: nil) }
        let refusal = question.book.map {
            $0.hasGhostShape
                ? "a ghost book of 0.01/0.99, which the poller did not believe"
                : "stale REST: a book older than what the poller had seen"
        }
        self.inbox.add(
            .answered(
                PollAnswer(
                    source: self.source, market: market, asked: question.asked, answered: question.answered,
                    stamp: odds?.exchangeTime.milliseconds, hash: question.book?.hash?.description,
                    tops: odds.map { MarketTops(yes: $0.yes, no: $0.no) },
                    verdict: refusal.map { .refused($0) } ?? .failed(question.failure ?? "no answer"))))
    }

    // MARK: What the poller says

    package func published(_ snapshot: OddsSnapshot, at now: ReceiveTime) {}

    package func sampled(_ microstructure: Microstructure, of market: Market, at now: ReceiveTime) {
        let (question, poller) = self.memory.withLock {
            ($0.open.removeValue(forKey: market.yes.asset), $0.poller)
        }
        guard let odds = poller?.currentOdds(market.id) else { return }
        self.inbox.add(
            .answered(
                PollAnswer(
                    source: self.source, market: market, asked: question?.asked ?? now.unixNanoseconds,
                    answered: now.unixNanoseconds, stamp: odds.exchangeTime.milliseconds,
                    hash: question?.book?.hash?.description, tops: MarketTops(odds), verdict: .believed)))
    }
}
