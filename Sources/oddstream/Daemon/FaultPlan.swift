import OddsCore
import PolymarketSimulator

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension PlannedFault {
    /// What `--fault` takes.
    static let allowed =
        "KIND@TIME for drop, close, cut, truncate (or malformed), corrupt, lose, oversize and recover, KIND@TIME:LENGTH "
        + "for freeze, half-open, refuse, reset, no-snapshot, duplicate, reorder, wrong-hash, gap, rest-error, rest-hang, "
        + "rest-reset, ghost-book and missing-market"

    /// A fault from its short text, such as `drop@10s` or `freeze@20s:5s`; nil when the text is anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let times = parts[1].split(separator: ":", omittingEmptySubsequences: false)
            .map { DurationText.parse(String($0)) }
        guard let time = times.first ?? nil else { return nil }
        let length = times.count == 2 ? times[1] : nil
        guard times.count == 1 || length != nil, times.count <= 2 else { return nil }
        guard var fault = Self.fault(called: String(parts[0])) else { return nil }
        guard Self.endsByItself(fault.kind) == (length == nil) else { return nil }
        fault.duration = length
        self.init(at: time, fault)
    }

    /// A kind as a plan has it that says no more of it; nil when it needs more, or there is none of that name.
    private static func fault(called name: String) -> SimulatorFault? {
        // The name that this one had before plans came.
        if name == "malformed" { return .malformedFrame }
        guard FaultPlan.names.contains(name) else { return nil }
        // A kind that cannot do without keys of its own is refused here, with an error that tells of plans.
        return (try? FaultPlan(json: Array(#"{"fault":"\#(name)"}"#.utf8)))?.faults.first?.fault
    }

    /// Whether it is over at once, or with the next frame.
    private static func endsByItself(_ kind: SimulatorFault.Kind) -> Bool {
        switch kind {
        case .drop, .close, .cut, .oversize, .recover: true
        case .truncate(.next), .corrupt(_, .next), .lose(.next): true
        case .truncate, .corrupt, .lose, .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .duplicate, .reorder,
            .wrongHash, .restError, .restSlow, .restHang, .restReset, .restStale, .ghostBook, .missingMarket,
            .clockSkew, .gap:
            false
        }
    }
}

extension Settings {
    /// What is to go wrong: the faults of the plan file and those named one by one.
    ///
    /// - Throws: `ConfigurationError` when the file cannot be read, or with the line and the key in it that is wrong.
    func faultPlan() throws(ConfigurationError) -> FaultPlan {
        var faults = self.words(.fault).compactMap { PlannedFault($0) }
        guard let entry = self.entries[.faults], let path = entry.values.first else { return FaultPlan(faults) }
        let name = entry.origin.name(of: .faults)
        guard let text = try? Data(contentsOf: URL(filePath: path)) else {
            throw ConfigurationError(
                "\(name): the plan of faults \(path) cannot be read. Check the path and its permissions.")
        }
        do {
            faults += try FaultPlan(json: text).faults
        } catch {
            throw ConfigurationError("\(name): \(path), \(error)")
        }
        return FaultPlan(faults)
    }
}
