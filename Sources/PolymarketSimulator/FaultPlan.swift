/// A fault and when it comes.
public struct PlannedFault: Sendable, Hashable {
    /// Time after the plan begins.
    public var at: Duration
    /// What happens then.
    public var fault: SimulatorFault

    /// A fault at a time after the plan begins.
    public init(at time: Duration, _ fault: SimulatorFault) {
        self.at = time
        self.fault = fault
    }
}

/// What goes wrong when: read from a file, or drawn from a seed.
///
/// A plan is JSON: an array of entries, or one entry after the other, usually one a line. An entry is a fault
/// (`{"at": "10s", "fault": "freeze", "on": {"line": 0}, "for": "5s"}`) or a number of random ones
/// (`{"random": {"seed": 7, "faults_per_minute": 6, "from": "10s", "to": "10m"}}`).
public struct FaultPlan: Sendable, Hashable {
    /// What faults are called in a plan.
    public static let names = FaultKindName.allCases.map(\.rawValue)

    /// The faults, in the order in which they come.
    public var faults: [PlannedFault]

    /// A plan of these faults.
    public init(_ faults: [PlannedFault] = []) {
        // Stable: faults of one moment stay in the order in which they were named.
        self.faults = faults.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
    }

    /// A plan from its JSON.
    ///
    /// Throws `SimulatorError.Code.plan` with the line and the key that is wrong; unknown keys are wrong too.
    public init(json: some Sequence<UInt8>) throws(SimulatorError) {
        self.init(try FaultText.plan(Array(json)))
    }
}
