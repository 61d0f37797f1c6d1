public import OddsCore

/// Takes orders to where they are filled. It is given approved ones only: there is no other way to call it.
public protocol Broker: Sendable {
    /// Takes an order, or refuses it. `epoch` is the market's epoch now: an order that was decided under another is refused.
    mutating func submit(_ approved: RiskApproved, epoch: UInt64, now: ReceiveTime) -> [ExecutionEvent]
    /// Takes back whatever is not filled yet.
    mutating func cancelAll(_ reason: RefusalReason, now: ReceiveTime) -> [ExecutionEvent]
}
