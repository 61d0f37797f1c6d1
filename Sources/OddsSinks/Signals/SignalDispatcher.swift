public import Logging
public import OddsCore
public import ServiceLifecycle

/// Where signals go, and how long the end of the program waits for them.
public struct SignalDispatcherConfiguration: Sendable {
    /// Addresses that signals are posted to.
    public var webhooks: [SignalWebhookConfiguration] = []
    /// Commands that are run.
    public var commands: [SignalCommandConfiguration] = []
    /// How long signals may still be delivered after the program was asked to end.
    public var drainLimit: Duration = .seconds(2)

    /// No receiver at all.
    public init() {}

    /// Whether there is no receiver.
    public var isEmpty: Bool { self.webhooks.isEmpty && self.commands.isEmpty }
}

/// Tells other programs what happened, so that a bot in any language can act on it.
///
/// `send(_:)` only queues; `run()` delivers. Each sink has its own queue and knows nothing of the others. What became of each
/// signal at each sink that wanted it is told once.
public final class SignalDispatcher: Service {
    private let sinks: [any SignalSink]

    /// A dispatcher; nothing is connected or run before `run()`.
    ///
    /// - Parameters:
    ///   - configuration: where signals go.
    ///   - clock: measures time limits, pauses and ages.
    ///   - logger: is told of trouble, and at debug level of each attempt.
    ///   - onDelivery: is told what became of each signal, once per sink. It is called on the sink's own task, or by `send(_:)`
    ///     after the end, and should return soon.
    /// - Throws: `AlertSinkError` when an address cannot be used or a command does not exist or may not be run.
    public init(
        configuration: SignalDispatcherConfiguration, clock: any StreamClock, logger: Logger,
        onDelivery: @escaping @Sendable (SignalDelivery) -> Void = { _ in }
    ) throws(AlertSinkError) {
        var sinks: [any SignalSink] = []
        for (index, webhook) in configuration.webhooks.enumerated() {
            sinks.append(
                SignalSinkEngine(
                    name: Self.name("webhook", index), courier: try SignalWebhookCourier(webhook, clock: clock),
                    kinds: webhook.kinds, outbox: webhook.outbox, drain: configuration.drainLimit, clock: clock,
                    logger: logger, onDelivery: onDelivery))
        }
        for (index, command) in configuration.commands.enumerated() {
            let name = Self.name("command", index)
            sinks.append(
                SignalSinkEngine(
                    name: name,
                    courier: try SignalCommandCourier(command, name: name, clock: clock, logger: logger),
                    kinds: command.kinds, outbox: command.outbox, drain: configuration.drainLimit, clock: clock,
                    logger: logger, onDelivery: onDelivery))
        }
        self.sinks = sinks
    }

    private static func name(_ kind: String, _ index: Int) -> String { index == 0 ? kind : "\(kind)-\(index + 1)" }

    /// Queues a signal for every sink that wants its kind. Never blocks; callable from any thread, before, during and after
    /// `run()`: what comes after is told as dropped.
    public func send(_ signal: Signal) {
        for sink in self.sinks where sink.wants(signal.kind) { sink.post(signal) }
    }

    /// Whether any sink takes signals of this kind: others need not be made.
    public func wants(_ kind: Signal.Kind) -> Bool { self.sinks.contains { $0.wants(kind) } }

    /// What became of the signals so far, by sink (`webhook`, `command`; a second one is `webhook-2`).
    public var status: [(sink: String, status: SignalSinkStatus)] { self.sinks.map { ($0.name, $0.status) } }

    /// Delivers until a graceful shutdown, and then for at most `drainLimit`; what is left then is told as dropped. Commands
    /// under way are ended. When it returns, no task, connection or child process is left. Ends at once when the task is
    /// cancelled. Runs once; never throws.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for sink in self.sinks { group.addTask { await sink.run() } }
        }
    }
}
