import NIOCore
import OddsCore
import Synchronization

/// The way from any thread to the engine on its event loop, and from the discovery to the engine.
///
/// Work that comes before the engine is open or after it is closed is dropped: there is nothing to do it on.
final class EngineRelay: MarketDiscoveryDelegate {
    private struct References {
        weak var discovery: MarketDiscovery?
        var hub: UpdateHub?
    }

    private let eventLoop: any EventLoop
    private let engine: NIOLoopBoundBox<FeedEngine?>
    private let references = Mutex(References())
    private let incidents: IncidentRecorder

    init(eventLoop: any EventLoop, incidents: IncidentRecorder = IncidentRecorder()) {
        self.incidents = incidents
        self.eventLoop = eventLoop
        self.engine = .makeEmptyBox(valueType: FeedEngine.self, eventLoop: eventLoop)
    }

    /// Whom the engine tells of first odds and resolutions. Held weakly: the discovery holds the relay.
    var discovery: MarketDiscovery? {
        get { self.references.withLock { $0.discovery } }
        set { self.references.withLock { $0.discovery = newValue } }
    }

    var hub: UpdateHub? {
        get { self.references.withLock { $0.hub } }
        set { self.references.withLock { $0.hub = newValue } }
    }

    /// Makes the engine on its loop.
    func open(_ make: @escaping @Sendable (EngineRelay) -> FeedEngine) async {
        await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                self.engine.value = make(self)
                continuation.resume()
            }
        }
    }

    /// Ends the engine; returns when its sockets are gone.
    func close() async {
        await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                guard let engine = self.engine.value else { return continuation.resume() }
                engine.stop().whenComplete { _ in
                    self.engine.value = nil
                    continuation.resume()
                }
            }
        }
    }

    /// Does something with the engine on its loop, in the order of the calls.
    func perform(_ work: @escaping @Sendable (FeedEngine) -> Void) {
        self.eventLoop.execute {
            guard let engine = self.engine.value else { return }
            work(engine)
        }
    }

    /// Asks the engine on its loop; nil when there is none.
    func ask<Answer: Sendable>(_ question: @escaping @Sendable (FeedEngine) -> Answer?) async -> Answer? {
        await withCheckedContinuation { continuation in
            self.eventLoop.execute { continuation.resume(returning: self.engine.value.flatMap(question)) }
        }
    }

    // MARK: What the discovery wants

    func follow(_ market: Market) { self.perform { $0.follow(market) } }

    func unfollow(_ market: Market) { self.perform { $0.unfollow(market) } }

    func discoveryProblem(_ problem: String?, of name: String) {
        self.incidents.record(.discovery(name: name, problem: problem))
        self.perform { $0.command(.discovery(name: name, problem: problem)) }
    }

    func discoveryUpdate(_ update: OddsUpdate) {
        switch update {
        case .resolution(let resolution):
            self.perform { engine in
                engine.close(resolution.market.id)
                engine.known(resolution)
            }
        case .rollover(let receipt): self.perform { $0.command(.rollover(receipt)) }
        case .odds, .trust, .overflow: break
        }
        self.hub?.broadcast(update)
    }
}
