import OddsCore

/// Carries one message to one kind of destination: how a message is worded there, and what its answers mean.
protocol AlertCourier: Sendable {
    /// The destination's name, for logs.
    var name: String { get }

    /// Makes one attempt and says what came of it. Ends promptly when the task is cancelled.
    func deliver(_ message: AlertMessage, over http: SinkHTTP) async -> AlertOutcome
}
