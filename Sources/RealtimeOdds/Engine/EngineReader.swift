import NIOCore
import OddsCore

/// Somebody wants to read a book at a moment.
final class DepthQuestion: @unchecked Sendable {
    // Made on any thread, and then used on the event loop alone.
    let asset: AssetID
    let instant: MonotonicTime
    private var told: (@Sendable (TokenDepth?, ReceiveTime) -> Void)?

    init(
        asset: AssetID, instant: MonotonicTime, told: @escaping @Sendable (TokenDepth?, ReceiveTime) -> Void
    ) {
        self.asset = asset
        self.instant = instant
        self.told = told
    }

    /// Answers it, once.
    func answer(_ depth: TokenDepth?, at now: ReceiveTime) {
        self.told.take()?(depth, now)
    }
}

/// The books that somebody wants to read later, the earliest moment first, those of one moment in their order.
struct DepthQuestions {
    private var questions: [DepthQuestion] = []

    mutating func add(_ question: DepthQuestion) {
        let place = self.questions.lastIndex { $0.instant <= question.instant }.map { $0 + 1 } ?? 0
        self.questions.insert(question, at: place)
    }

    /// Whether one is due.
    @inline(__always)
    func areDue(at now: MonotonicTime) -> Bool {
        guard let first = self.questions.first else { return false }
        return first.instant <= now
    }

    /// Takes the first one out when it is due.
    mutating func takeDue(at now: MonotonicTime) -> DepthQuestion? {
        self.areDue(at: now) ? self.questions.removeFirst() : nil
    }
}

/// What an observer can ask the engine, which it does not keep alive.
final class EngineReader: FeedReader {
    private struct Reference {
        weak var engine: FeedEngine?
    }

    private let reference: NIOLoopBound<Reference>
    private let eventLoop: any EventLoop
    private let clock: any StreamClock

    /// On the engine's event loop.
    init(_ engine: FeedEngine) {
        self.reference = NIOLoopBound(Reference(engine: engine), eventLoop: engine.setup.eventLoop)
        self.eventLoop = engine.setup.eventLoop
        self.clock = engine.setup.clock
    }

    func depth(of asset: AssetID) -> TokenDepth? { self.reference.value.engine?.depth(of: asset) }

    func depth(
        of asset: AssetID, at instant: MonotonicTime,
        _ answer: @escaping @Sendable (TokenDepth?, ReceiveTime) -> Void
    ) {
        let question = DepthQuestion(asset: asset, instant: instant, told: answer)
        guard self.eventLoop.inEventLoop else { return self.eventLoop.execute { self.ask(question) } }
        self.ask(question)
    }

    private func ask(_ question: DepthQuestion) {
        self.reference.value.engine?.depthQuestions.add(question)
        let wait = self.clock.now().monotonic.duration(to: question.instant)
        self.eventLoop.scheduleTask(in: TimeAmount(max(wait, .zero))) {
            guard let engine = self.reference.value.engine else { return question.answer(nil, at: self.clock.now()) }
            engine.answerDepths(until: question.instant)
        }
    }

    func microstructure(of market: MarketID) -> Microstructure? {
        self.reference.value.engine?.microstructure(of: market)
    }
}
