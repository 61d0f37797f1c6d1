extension SignalRecord {
    /// A delivery as the history keeps it. What a receiver answered is in `detail` when it is of interest: when the signal was
    /// not delivered.
    public init(_ delivery: SignalDelivery) {
        self.init(
            id: delivery.id, kind: delivery.kind.rawValue, sink: delivery.sink, market: delivery.market,
            attempts: delivery.attempts, outcome: delivery.outcome.rawValue, detail: delivery.error,
            time: delivery.queued)
    }
}
