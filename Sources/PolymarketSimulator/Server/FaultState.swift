internal import OddsCore

/// Which faults are in force. Decides only; the exchange acts.
struct FaultState: Sendable {
    private var refusal: (kind: SimulatorFault.Refusal, until: MonotonicTime)?
    private var frozenUntil: MonotonicTime?
    /// Connections whose next frame of data is to be cut.
    private var toBeCut: Set<Int> = []

    /// What injecting a fault asks for at once.
    enum Action: Sendable, Equatable {
        case none
        case dropAll
        case sendToAll([UInt8])
    }

    /// A fault comes into force.
    mutating func inject(_ fault: SimulatorFault, connections: some Sequence<Int>, now: MonotonicTime) -> Action {
        switch fault {
        case .drop: return .dropAll
        case .refuse(let kind, let duration): self.refusal = (kind, now.advanced(by: duration))
        case .freeze(let duration):
            self.frozenUntil = duration.map { now.advanced(by: $0) } ?? MonotonicTime(nanoseconds: .max)
        case .malformedFrame: self.toBeCut.formUnion(connections)
        case .oversizeFrame(let bytes): return .sendToAll(Self.oversizeFrame(bytes))
        case .recover: self = FaultState()
        }
        return .none
    }

    /// How a new connection to the market channel is turned away; nil when it is let in.
    func refusal(now: MonotonicTime) -> SimulatorFault.Refusal? {
        guard let refusal = self.refusal, now < refusal.until else { return nil }
        return refusal.kind
    }

    /// Whether no data is sent.
    func isFrozen(now: MonotonicTime) -> Bool { self.frozenUntil.map { now < $0 } ?? false }

    /// What becomes of a frame of data on its way to a connection.
    mutating func delivered(_ frame: [UInt8], to connection: Int) -> [UInt8] {
        guard self.toBeCut.remove(connection) != nil else { return frame }
        return Array(frame.prefix(frame.count / 2))
    }

    private static func oversizeFrame(_ bytes: Int) -> [UInt8] {
        let head = Array(#"{"event_type":"oversize","padding":""#.utf8)
        let tail = Array("\"}".utf8)
        return head + [UInt8](repeating: 0x78, count: max(0, bytes - head.count - tail.count)) + tail
    }
}
