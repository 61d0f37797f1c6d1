/// A destination for alerts. The port behind which Telegram, webhooks and whatever follows stand.
public protocol AlertSink: Sendable {
    /// A short name for logs and reports, such as `telegram`; unique among the sinks of a program.
    var name: String { get }

    /// Takes an alert and returns at once, from any thread; it never fails, suspends or touches the network.
    ///
    /// What becomes of the alert is told by `status`. Alerts that cannot be delivered in time wait in a bounded queue.
    func post(_ alert: Alert)

    /// What became of the alerts so far.
    var status: AlertSinkStatus { get }
}

/// What became of a destination's alerts.
public struct AlertSinkStatus: Sendable, Equatable {
    /// Alerts that arrived, alone or in a message with others.
    public var delivered = 0
    /// Messages that arrived.
    public var messages = 0
    /// Alerts that have not arrived yet, the ones on their way included.
    public var waiting = 0
    /// Alerts not taken because they said what the incident's last alert had said.
    public var repeated = 0
    /// Alerts left out because too many were waiting.
    public var dropped = 0
    /// Alerts the destination refused for good.
    public var refused = 0
    /// Alerts given up because they could not be delivered for too long.
    public var expired = 0
    /// Attempts that failed or were put off, and were or will be made again.
    public var retries = 0
    /// What keeps alerts from arriving, since the last one that did; nil when nothing does.
    public var problem: String?

    /// The status of a destination nothing was sent to.
    public init() {}
}
