extension IncidentJournal {
    /// A fresh book that was asked for.
    struct Resync: Hashable {
        let line: Int
        let asset: AssetID
    }

    /// What keeps an incident open.
    struct Symptoms {
        var isDown = false
        var isSilent = false
        var resyncs: Set<Resync> = []
        var isEmpty: Bool { !self.isDown && !self.isSilent && self.resyncs.isEmpty }
    }

    /// An incident that is open, or that may begin again.
    struct Trouble {
        var incident: Incident
        var symptoms = Symptoms()
        /// What was served before it was noticed, and since when that had been so.
        let before: Standing
        let floor: MonotonicTime
        /// Whether `fallback` is up.
        let acceptsFallback: Bool
        /// The worst served so far.
        var worst: Standing
        /// When it is finished for good; nil while it is open.
        var settles: MonotonicTime?
        /// When it ended last; nil while it is open.
        var ended: MonotonicTime?
        /// What was served since it ended: part of it, should it begin again.
        var gap = StandingTimes()
        /// Due time lost that the ledger does not have yet.
        var unbooked = Duration.zero
        var isEndTold = false

        init(_ incident: Incident, before: Standing, since floor: MonotonicTime, acceptsFallback: Bool) {
            self.incident = incident
            self.acceptsFallback = acceptsFallback
            self.before = before
            self.floor = floor
            self.worst = before
        }
    }
}

extension IncidentJournal.Trouble {
    /// Time passes while readers are given this.
    mutating func pass(_ time: Duration, _ standing: Standing) {
        guard self.settles == nil else {
            self.gap[standing] += time
            return
        }
        self.serve(time, standing)
        if standing.isLost(acceptingFallback: self.acceptsFallback) {
            self.incident.lost += time
            self.unbooked += time
        }
    }

    mutating func serve(_ time: Duration, _ standing: Standing) {
        if case .selection = self.incident.subject { return }
        self.incident.served[standing] += time
    }

    /// It begins again, and the time between was part of it.
    mutating func resume(at now: ReceiveTime) {
        self.settles = nil
        self.ended = nil
        self.isEndTold = false
        self.incident.end = nil
        self.incident.ending = nil
        self.incident.occurrences += 1
        self.incident.latestBegin = now
        self.incident.served += self.gap
        self.gap = StandingTimes()
    }

    mutating func ask(_ resync: IncidentJournal.Resync) {
        self.symptoms.resyncs.insert(resync)
        self.incident.resyncs += 1
        self.incident.involve([resync.line])
    }
}

extension Incident {
    init(id: UInt64, subject: Subject, kind: Kind, at now: ReceiveTime) {
        self.id = id
        self.subject = subject
        self.kind = kind
        self.reason = nil
        self.detail = ""
        self.lines = []
        self.begin = now
        self.latestBegin = now
        self.detected = now
        self.duration = .zero
    }

    /// The open incident, as it is at a moment.
    func lasting(until now: ReceiveTime) -> Incident {
        var incident = self
        incident.duration = self.begin.monotonic.duration(to: now.monotonic)
        return incident
    }

    mutating func finish(at now: ReceiveTime, _ ending: Ending) {
        self.end = now
        self.ending = ending
        self.duration = self.begin.monotonic.duration(to: now.monotonic)
    }

    mutating func involve(_ lines: [Int]) {
        for line in lines where !self.lines.contains(line) { self.lines.append(line) }
        self.lines.sort()
    }
}

extension Standing {
    func isWorse(than other: Standing) -> Bool {
        let order = Standing.byMerit
        return (order.firstIndex(of: self) ?? -1) > (order.firstIndex(of: other) ?? -1)
    }
}

extension ReceiveTime {
    /// The moment at an earlier instant, by the same wall clock.
    func back(to instant: MonotonicTime) -> ReceiveTime {
        let earlier = instant.duration(to: self.monotonic)
        return ReceiveTime(
            monotonic: instant, unixNanoseconds: self.unixNanoseconds - earlier.wholeNanoseconds)
    }
}
