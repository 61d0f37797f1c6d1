import NIOCore
import OddsCore
import Synchronization

/// The venue's REST API as a second witness: asked on the feed's event loop, answering there, working elsewhere.
///
/// Questions beyond the published rate wait; after a 429 none is sent before the time that the venue named.
final class RESTWitness: BookWitness, Sendable {
    private struct Question: Sendable {
        let assets: [AssetID]
        let answer: NIOLoopBound<([Result<RESTBook, RESTError>]) -> Void>
    }

    private struct State {
        var pace = RequestPace.clobBook
        var closedUntil: MonotonicTime?
    }

    private let client: ClobClient
    private let eventLoop: any EventLoop
    private let clock: any StreamClock
    private let questions: AsyncStream<Question>
    private let asked: AsyncStream<Question>.Continuation
    private let state = Mutex(State())

    init(client: ClobClient, eventLoop: any EventLoop, clock: any StreamClock) {
        self.client = client
        self.eventLoop = eventLoop
        self.clock = clock
        // Each market has one question open at a time, so this holds as many as there are markets.
        (self.questions, self.asked) = AsyncStream.makeStream()
    }

    func ask(_ assets: [AssetID], _ answer: @escaping ([Result<RESTBook, RESTError>]) -> Void) {
        self.asked.yield(Question(assets: assets, answer: NIOLoopBound(answer, eventLoop: self.eventLoop)))
    }

    /// Answers until the task is cancelled; no task is left when it returns. Runs once.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await question in self.questions {
                group.addTask {
                    let results = await self.results(question.assets)
                    self.eventLoop.execute { question.answer.value(results) }
                }
            }
            group.cancelAll()
        }
    }

    private func results(_ assets: [AssetID]) async -> [Result<RESTBook, RESTError>] {
        await withTaskGroup(of: (Int, Result<RESTBook, RESTError>).self) { group in
            for (index, asset) in assets.enumerated() {
                group.addTask { (index, await self.result(asset)) }
            }
            var results: [Int: Result<RESTBook, RESTError>] = [:]
            for await (index, result) in group { results[index] = result }
            return assets.indices.compactMap { results[$0] }
        }
    }

    private func result(_ asset: AssetID) async -> Result<RESTBook, RESTError> {
        let now = self.clock.now().monotonic
        let (start, isClosed) = self.state.withLock { state in
            if let until = state.closedUntil, now < until { return (now, true) }
            return (state.pace.reserve(at: now), false)
        }
        if isClosed { return .failure(RESTError(.rateLimited, "the venue asked to wait before the next request")) }
        do throws(RESTError) {
            do {
                try await self.clock.sleep(until: start)
            } catch {
                throw RESTError(.cancelled, "the streamer ends")
            }
            return .success(try await self.client.book(of: asset))
        } catch {
            if let wait = error.retryAfter {
                let until = self.clock.now().monotonic.advanced(by: min(wait, .seconds(300)))
                self.state.withLock { $0.closedUntil = max($0.closedUntil ?? until, until) }
            }
            return .failure(error)
        }
    }
}
