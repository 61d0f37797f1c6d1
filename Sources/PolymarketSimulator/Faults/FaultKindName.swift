/// What faults are called in plans.
package enum FaultKindName: String, Sendable, Hashable, CaseIterable {
    case drop, close, refuse, reset, freeze
    case halfOpen = "half-open"
    case noSnapshot = "no-snapshot"
    case delay, duplicate, reorder, corrupt, truncate, cut, oversize
    case wrongHash = "wrong-hash"
    case lose
    case restError = "rest-error"
    case restSlow = "rest-slow"
    case restHang = "rest-hang"
    case restReset = "rest-reset"
    case restStale = "rest-stale"
    case ghostBook = "ghost-book"
    case missingMarket = "missing-market"
    case clockSkew = "clock-skew"
    case gap
    case recover

    static let allowed = Self.allCases.map(\.rawValue).joined(separator: ", ")

    /// Whether random plans draw it: `recover` would end what was drawn before it, and `gap` concerns no market.
    package var isDrawn: Bool { self != .recover && self != .gap }

    /// Those that random plans draw from.
    package static let drawn = Self.allCases.filter(\.isDrawn)
}

extension SimulatorFault.Kind {
    /// What it is called in plans.
    package var name: FaultKindName {
        switch self {
        case .drop: .drop
        case .close: .close
        case .refuse(.status): .refuse
        case .refuse(.reset): .reset
        case .freeze: .freeze
        case .halfOpen: .halfOpen
        case .noSnapshot: .noSnapshot
        case .delay: .delay
        case .duplicate: .duplicate
        case .reorder: .reorder
        case .corrupt: .corrupt
        case .truncate: .truncate
        case .cut: .cut
        case .oversize: .oversize
        case .wrongHash: .wrongHash
        case .lose: .lose
        case .restError: .restError
        case .restSlow: .restSlow
        case .restHang: .restHang
        case .restReset: .restReset
        case .restStale: .restStale
        case .ghostBook: .ghostBook
        case .missingMarket: .missingMarket
        case .clockSkew: .clockSkew
        case .gap: .gap
        case .recover: .recover
        }
    }
}
