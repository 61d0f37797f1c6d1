public import Logging
public import OddsCore
public import ServiceLifecycle

/// Polymarket's odds, live: a persistent stream that can be asked at any time and from any thread.
public final class RealtimeOddsStreamer: OddsSource, Service {
    /// A streamer; nothing happens before `start()` or `run()`.
    ///
    /// - Parameters:
    ///   - configuration: what to follow and where.
    ///   - logger: receives connection, rollover and fault messages, at info level or below unless something is wrong.
    ///   - observer: called on the feed's event loop for every applied message (`watch --trace`); nil costs nothing.
    public init(
        configuration: RealtimeOddsConfiguration, logger: Logger,
        observer: (any AppliedMessageObserver)? = nil
    ) throws(RealtimeOddsError) {
        fatalError()
    }
    /// Starts streaming in the background and returns at once.
    public func start() {}
    /// Ends streaming; returns when every task and socket is gone.
    public func stop() async {}
    /// Streams until the task is cancelled or the service group shuts down.
    public func run() async throws {}
    public func currentOdds(_ market: MarketID) -> OddsSnapshot? { nil }
    public var markets: [MarketStatus] { [] }
    public var status: StreamStatus { StreamStatus() }
    /// Follows all markets. The sequence ends when the streamer stops.
    public func updates(_ delivery: OddsUpdates.Delivery = .latest) -> OddsUpdates { fatalError() }
}

/// Sees each message as it is applied, on the feed's event loop: it must be quick and must not block.
public protocol AppliedMessageObserver: Sendable {
    /// One entry of a message was applied to a book and published.
    func applied(_ message: AppliedMessage)
}

/// One applied entry of a message, with the rebuilt book's best prices after it.
public struct AppliedMessage: Sendable {
    /// Counts entries from 1.
    public let number: UInt64
    public let asset: AssetID
    /// The venue's event type.
    public let eventType: String
    public let exchangeTime: Timestamp
    public let receiveTime: MonotonicTime
    public let publishTime: MonotonicTime
    public let bestBid: Price?
    public let bestAsk: Price?
}

/// Updates as they happen. Ends when the streamer stops.
public struct OddsUpdates: AsyncSequence, Sendable {
    public enum Delivery: Sendable, Equatable {
        /// The newest values per market; what was passed over is counted.
        case latest
        /// Every update, up to `capacity` waiting; beyond that the loss is reported in the sequence itself.
        case lossless(capacity: Int)
    }
    public typealias Element = OddsUpdate
    public typealias Failure = Never
    /// How many updates were passed over for newer ones, or lost.
    public var skipped: UInt64 { 0 }
    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async -> OddsUpdate? { nil }
    }
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
}

/// Why a streamer cannot be made or started.
public struct RealtimeOddsError: Error, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        let name: String
        /// A configuration value cannot be used.
        public static let invalidConfiguration = Code(name: "invalid configuration")
        /// The certificate file cannot be read.
        public static let certificateFile = Code(name: "certificate file")
    }
    public let code: Code
    /// What is wrong and what to do.
    public let message: String
    public var description: String { "\(self.code.name): \(self.message)" }
}
