extension Signal {
    /// What happened. The raw values are stable: they are written into bodies, headers and environments.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// A side reached the threshold.
        case spikeBegan = "spike.began"
        /// A side is below the threshold again, or its market is over.
        case spikeEnded = "spike.ended"
        /// An order was sent to the broker.
        case orderSubmitted = "order.submitted"
        /// An order bought shares, in part or whole.
        case orderFilled = "order.filled"
        /// An order was rejected, or went without a share bought.
        case orderFailed = "order.failed"
        /// The market was decided and the position paid out.
        case positionSettled = "position.settled"
        /// A signal was not acted on.
        case orderRefused = "order.refused"
        /// The kill switch was turned.
        case killSwitch = "kill_switch"
    }
}

extension Signal.Kind {
    /// What a signal about a spike tells: its beginning while it lasts, its end once it has one.
    public init(of spike: SpikeRecord) { self = spike.end == nil ? .spikeBegan : .spikeEnded }

    /// What a signal about an order tells, by how far the order got.
    public init(of trade: TradeRecord) {
        self =
            switch trade.status {
            case .pending: .orderSubmitted
            case .open: .orderFilled
            case .rejected, .cancelled: .orderFailed
            case .settled: .positionSettled
            }
    }
}

extension Set<Signal.Kind> {
    /// Every kind.
    public static var all: Set<Signal.Kind> { Set(Signal.Kind.allCases) }

    /// The kinds of a list such as `spike.began,order`: names of kinds, names of their groups (`spike`, `order`,
    /// `position`), or `all`, separated by commas.
    ///
    /// - Throws: `SignalKindError` when a name is unknown, or when there is none.
    public init(parsing list: String) throws(SignalKindError) {
        self = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let name = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            let kinds = Signal.Kind.allCases.filter { Self.isMeant($0.rawValue, by: String(name)) }
            guard !kinds.isEmpty else { throw SignalKindError(name: String(name)) }
            self.formUnion(kinds)
        }
    }

    private static func isMeant(_ kind: String, by name: String) -> Bool {
        name == "all" || kind == name || kind.hasPrefix(name + ".")
    }
}

/// A name that no kind of signal has.
public struct SignalKindError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name.
    public let name: String

    /// What is wrong, and what is allowed.
    public var description: String {
        let allowed = Signal.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        return "There is no kind of signal '\(self.name)'. Allowed: all, spike, order, position, \(allowed)."
    }
}
