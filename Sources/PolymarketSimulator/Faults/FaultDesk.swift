internal import OddsCore

/// Faults on cue over HTTP: what the simulator says at this path of the CLOB's port, which the real one does not have.
///
/// `POST` takes an entry of a plan, or an array of them; `at` counts from now, and without it the fault begins at once.
/// `GET` lists those in force and those planned; `DELETE` ends all. Every answer is the list, or an error in words.
enum FaultDesk {
    static let path = "/_faults"

    static func list(
        _ active: some Sequence<FaultState.Active>, planned: [(time: MonotonicTime, fault: SimulatorFault)],
        connections: Int, now: MonotonicTime
    ) -> HTTPAnswer {
        let inForce = active.map { active in
            let left = active.until.nanoseconds < .max ? "\"\(PlanTime.text(now.duration(to: active.until)))\"" : "null"
            return "{" + (FaultText.members(active.fault) + ["\"left\":\(left)"]).joined(separator: ",") + "}"
        }
        let toCome = planned.map { time, fault in
            FaultText.json(PlannedFault(at: max(.zero, now.duration(to: time)), fault))
        }
        return HTTPAnswer(
            #"{"faults":[\#(inForce.joined(separator: ","))],"planned":[\#(toCome.joined(separator: ","))],"#
                + #""connections":\#(connections)}"#)
    }
}
