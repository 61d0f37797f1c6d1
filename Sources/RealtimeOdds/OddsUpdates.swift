public import OddsCore

/// Updates as they happen. Begins with the values that are there, ends when the streamer stops or the task is cancelled.
///
/// Several iterators of one sequence share its updates; ask the streamer for a sequence each to give everyone everything.
public struct OddsUpdates: AsyncSequence, Sendable {
    /// How a slow reader is treated. Either way it never slows the feed.
    public enum Delivery: Sendable, Equatable {
        /// The newest values per market; what was passed over is counted in `skipped`.
        case latest
        /// Every change, with up to `capacity` waiting; beyond that, changes are lost and the sequence says how many,
        /// where they are missing.
        case lossless(capacity: Int)
    }

    /// What the sequence yields.
    public typealias Element = OddsUpdate
    /// It never fails.
    public typealias Failure = Never

    private let subscription: Subscription

    init(hub: UpdateHub, subscriber: UpdateSubscriber) {
        self.subscription = Subscription(hub: hub, subscriber: subscriber)
    }

    /// How many updates were passed over for newer ones, or lost.
    public var skipped: UInt64 { self.subscription.subscriber.skipped }

    /// An iterator over the updates that come from now on.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: self.subscription) }

    /// Yields updates as they happen.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let subscription: Subscription

        /// The next update; nil when the streamer has stopped or the task is cancelled.
        public mutating func next() async -> OddsUpdate? { await self.subscription.subscriber.next() }
    }

    /// Takes the mailbox away when nobody can read it any more.
    fileprivate final class Subscription: Sendable {
        let hub: UpdateHub
        let subscriber: UpdateSubscriber

        init(hub: UpdateHub, subscriber: UpdateSubscriber) {
            self.hub = hub
            self.subscriber = subscriber
        }

        deinit { self.hub.unsubscribe(self.subscriber) }
    }
}
