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
        "drop@TIME, freeze@TIME:LENGTH, refuse@TIME:LENGTH, reset@TIME:LENGTH, malformed@TIME or oversize@TIME"

    /// A fault from its short text, such as `drop@10s` or `freeze@20s:5s`; nil when the text is anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let times = parts[1].split(separator: ":", omittingEmptySubsequences: false)
            .map { DurationText.parse(String($0)) }
        guard let time = times.first ?? nil else { return nil }
        let length = times.count == 2 ? times[1] : nil
        guard times.count == 1 || length != nil, times.count <= 2 else { return nil }
        let fault: SimulatorFault
        switch (parts[0], length) {
        case ("drop", nil): fault = .drop
        case ("freeze", let length?): fault = .freeze(for: length)
        case ("refuse", let length?): fault = .refuse(.status(503), for: length)
        case ("reset", let length?): fault = .refuse(.reset, for: length)
        case ("malformed", nil): fault = .malformedFrame
        // More than ours takes, which stops at 8 MiB, and less than the exchange keeps for a slow reader.
        case ("oversize", nil): fault = .oversizeFrame(bytes: 9 * 1024 * 1024)
        default: return nil
        }
        self.init(at: time, fault)
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
