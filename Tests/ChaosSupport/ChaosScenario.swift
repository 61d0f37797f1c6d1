package import OddsCore
package import PolymarketSimulator

/// One fault of the fault matrix: what goes wrong on how many lines.
package struct ChaosScenario: Sendable {
    /// What it is called in the table.
    package var name: String
    /// How many lines the feed has.
    package var lines: Int
    /// What goes wrong, from the beginning of the fault on.
    package var faults: [PlannedFault]
    /// How long it lasts at most; what is measured goes on a while longer.
    package var duration: Duration
    /// The bound on the time without fresh odds, where there is one.
    package var freshWithin: Duration?
    /// Whether a reader should notice nothing: no update lost, no other trust, no new epoch.
    package var isInvisible: Bool
    /// Whether nothing at all should be said of it.
    package var isHarmless: Bool

    package init(
        _ name: String, lines: Int, _ faults: [PlannedFault], lasting duration: Duration,
        freshWithin: Duration? = nil, isInvisible: Bool = false, isHarmless: Bool = false
    ) {
        self.name = name
        self.lines = lines
        self.faults = faults
        self.duration = duration
        self.freshWithin = freshWithin
        self.isInvisible = isInvisible
        self.isHarmless = isHarmless
    }

    /// Every fault, with one line and with two. With two, what can happen to a single line happens to the first.
    package static let matrix: [ChaosScenario] = (1...2).flatMap { Self.all(lines: $0) }

    private static func all(lines: Int) -> [ChaosScenario] {
        let line: FaultTarget = lines == 1 ? .all : FaultTarget(line: .oldest)
        let two = lines == 2
        func now(_ kind: SimulatorFault.Kind, on target: FaultTarget = .all, for duration: Duration? = nil)
            -> PlannedFault
        {
            PlannedFault(at: .zero, SimulatorFault(kind, on: target, for: duration))
        }
        let half = Duration.seconds(30)
        /// A fault of a line: with two lines nobody notices it.
        func onLine(
            _ name: String, _ faults: [PlannedFault], lasting duration: Duration, freshWithin: Duration? = nil
        ) -> ChaosScenario {
            ChaosScenario(
                name, lines: lines, faults, lasting: duration, freshWithin: freshWithin, isInvisible: two)
        }
        func everywhere(
            _ name: String, _ faults: [PlannedFault], lasting duration: Duration, freshWithin: Duration? = nil
        ) -> ChaosScenario {
            ChaosScenario(name, lines: lines, faults, lasting: duration, freshWithin: freshWithin)
        }
        func harmless(_ name: String, _ faults: [PlannedFault]) -> ChaosScenario {
            ChaosScenario(name, lines: lines, faults, lasting: half, isInvisible: true, isHarmless: true)
        }
        let up = FaultTarget(subject: .current(.up, series: nil))
        return [
            harmless("nothing", []),
            onLine("drop", [now(.drop, on: line)], lasting: .seconds(5), freshWithin: .milliseconds(500)),
            onLine(
                "close frame 1001", [now(.close(code: 1001, reason: "going away"), on: line)], lasting: .seconds(5),
                freshWithin: .milliseconds(500)),
            onLine("TCP cut in a frame", [now(.cut, on: line)], lasting: .seconds(5), freshWithin: .milliseconds(700)),
            onLine("freeze", [now(.freeze, on: line, for: half)], lasting: half, freshWithin: .seconds(5)),
            onLine("half-open", [now(.halfOpen, on: line, for: half)], lasting: half, freshWithin: .seconds(11)),
            onLine(
                "one frozen token", [now(.freeze, on: FaultTarget(line: line.line, subject: up.subject), for: half)],
                lasting: half, freshWithin: .seconds(5)),
            onLine(
                "no first snapshot", [now(.noSnapshot, on: .all, for: half), now(.drop, on: line)], lasting: half,
                freshWithin: .seconds(5)),
            everywhere("freeze, every line", [now(.freeze, for: half)], lasting: half, freshWithin: .seconds(5)),
            everywhere(
                "one frozen token, every line", [now(.freeze, on: up, for: half)], lasting: half,
                freshWithin: .seconds(5)),
            everywhere(
                "no first snapshot, every line", [now(.noSnapshot, for: half), now(.drop)], lasting: half,
                freshWithin: .seconds(5)),
            everywhere(
                "outage of the feed, 30 s", [now(.refuse(.reset), for: half), now(.drop)], lasting: half,
                freshWithin: .seconds(2)),
            everywhere(
                "outage of feed and REST, 30 s",
                [
                    now(.refuse(.status(503)), for: half), now(.drop),
                    now(.restError(status: 503, retryAfter: nil), on: FaultTarget(api: .clob), for: half),
                ], lasting: half, freshWithin: .seconds(32)),
            everywhere(
                "freeze and no REST",
                [now(.freeze, for: half), now(.restHang, on: FaultTarget(api: .clob), for: half)],
                lasting: half),
            onLine("delay of 3 s", [now(.delay(by: .seconds(3)), on: line, for: half)], lasting: half),
            harmless("every frame twice", [now(.duplicate(.every), on: line, for: half)]),
            onLine(
                "neighbours swapped", [now(.reorder(.neighbours, .share(0.2)), on: line, for: half)], lasting: half),
            onLine(
                "rows up to 2.9 s late",
                [now(.reorder(.late(upTo: .milliseconds(2900)), .share(0.01)), on: line, for: half)],
                lasting: half),
            onLine("broken JSON", [now(.corrupt(.syntax, .next(1)), on: line)], lasting: .seconds(5)),
            onLine("no UTF-8", [now(.corrupt(.encoding, .next(1)), on: line)], lasting: .seconds(5)),
            onLine("a size changed", [now(.corrupt(.size, .next(20)), on: line)], lasting: half),
            onLine("truncated frame", [now(.truncate(.next(1)), on: line)], lasting: .seconds(5)),
            onLine("frame over the limit", [now(.oversize(bytes: 9 << 20), on: line)], lasting: .seconds(5)),
            onLine("2 % of frames lost", [now(.lose(.share(0.02)), on: line, for: half)], lasting: half),
            onLine("wrong hashes", [now(.wrongHash(.every), on: line, for: half)], lasting: half),
            harmless("stale REST", [now(.restStale(by: .seconds(10)), on: FaultTarget(api: .clob), for: half)]),
            harmless("ghost REST book", [now(.ghostBook(age: .zero), on: FaultTarget(api: .clob), for: half)]),
            harmless(
                "REST 429",
                [now(.restError(status: 429, retryAfter: .seconds(5)), on: FaultTarget(api: .clob), for: half)]),
            harmless("REST hangs", [now(.restHang, on: FaultTarget(api: .clob), for: half)]),
        ]
    }
}

/// What a run of a scenario showed.
package struct ChaosResult: Sendable {
    /// What was run.
    package var scenario: ChaosScenario
    /// When anything was first noticed, after the fault began; nil when nothing was.
    package var detection: Duration?
    /// The longest time without odds that are right and said to be live, or recent and said to be from the witness.
    package var withoutFresh: Duration
    /// The longest time that wrong odds were served as live.
    package var wrongLive: Duration
    /// Versions that a run without the fault publishes and this one did not; nil when that cannot be compared.
    package var lost: Int?
    /// How often the epoch changed.
    package var epochs: Int
    /// What was said: connections lost or failed, markets frozen or unverified, books asked for again.
    package var alarms: Int
    /// Every trust a reader saw.
    package var trusts: [String]

    package init(
        scenario: ChaosScenario, detection: Duration?, withoutFresh: Duration, wrongLive: Duration, lost: Int?,
        epochs: Int, alarms: Int, trusts: [String]
    ) {
        self.scenario = scenario
        self.detection = detection
        self.withoutFresh = withoutFresh
        self.wrongLive = wrongLive
        self.lost = lost
        self.epochs = epochs
        self.alarms = alarms
        self.trusts = trusts
    }

    /// What is not as it should be, in sentences; empty when all is.
    package var complaints: [String] {
        var complaints: [String] = []
        if let bound = self.scenario.freshWithin, self.withoutFresh > bound {
            complaints.append("fresh odds after \(self.withoutFresh.secondsValue) s, not \(bound.secondsValue) s")
        }
        if self.scenario.isInvisible {
            if self.epochs > 0 { complaints.append("\(self.epochs) changes of epoch") }
            if let lost = self.lost, lost > 0 { complaints.append("\(lost) updates lost") }
            if self.trusts != ["live"] { complaints.append("seen: \(self.trusts.joined(separator: ", "))") }
        }
        if self.scenario.isHarmless, self.alarms > 0 { complaints.append("\(self.alarms) false alarms") }
        return complaints
    }

    /// The head of the table.
    package static let header = """
        | fault | lines | noticed | without fresh odds | wrong as live | lost | epochs | alarms | seen | |
        | --- | --: | --: | --: | --: | --: | --: | --: | --- | --- |
        """

    /// A row of the table.
    package var row: String {
        func text(_ duration: Duration?) -> String { duration.map { "\(Self.rounded($0)) s" } ?? "–" }
        let verdict = self.complaints.isEmpty ? "" : "**" + self.complaints.joined(separator: "; ") + "**"
        return
            "| \(self.scenario.name) | \(self.scenario.lines) | \(text(self.detection)) | \(text(self.withoutFresh)) | "
            + "\(text(self.wrongLive)) | \(self.lost.map(String.init) ?? "–") | \(self.epochs) | \(self.alarms) | "
            + "\(self.trusts.joined(separator: ", ")) | \(verdict) |"
    }

    private static func rounded(_ duration: Duration) -> Double {
        Double((duration.secondsValue * 100).rounded()) / 100
    }
}

extension ContinuityEvent {
    /// Whether it tells of trouble.
    package var isAlarm: Bool {
        switch self {
        case .connection(_, _, .lost), .connection(_, _, .failed), .resync: true
        case .silence(_, .frozen), .silence(_, .unverified): true
        case .discovery(_, let problem): problem != nil
        case .connection, .silence, .followed, .unfollowed, .trust, .resynced: false
        }
    }
}
