import NIOCore
import OddsCore

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
        let wait = self.clock.now().monotonic.duration(to: instant)
        self.eventLoop.scheduleTask(in: TimeAmount(max(wait, .zero))) {
            answer(self.depth(of: asset), self.clock.now())
        }
    }

    func microstructure(of market: MarketID) -> Microstructure? {
        self.reference.value.engine?.microstructure(of: market)
    }
}
