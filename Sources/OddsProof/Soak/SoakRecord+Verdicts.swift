internal import OddsCore
internal import OddsReports

extension SoakRecord {
    /// Works out slopes and verdicts from what was measured.
    package mutating func judge() {
        self.memory = Trend(self.process.ground(after: self.warmUp) { $0.leastResident }).map(Slope.init)
        self.descriptors = Trend(self.process.ground(after: self.warmUp) { $0.leastDescriptors }).map(Slope.init)
        var verdicts = [
            self.latencyVerdict, self.spikesVerdict, self.uptimeVerdict, self.recoveryVerdict, self.memoryVerdict,
            self.descriptorsVerdict,
        ]
        if let wrong = self.wrongVerdict { verdicts.append(wrong) }
        self.verdicts = verdicts
    }

    /// Whether something that was demanded was not met. What cannot be told counts neither way.
    package var isFailed: Bool { self.verdicts.contains { $0.isMet == false } }

    /// Whether nothing at all came: nothing could be measured.
    package var isUnreached: Bool {
        self.counters["frames.received"] ?? 0 == 0 && self.uptime.up == 0
            && self.uptime.served["fallback"] ?? 0 == 0
    }

    /// The verdicts without which a soak says nothing, that cannot be told.
    package var untold: [String] {
        self.verdicts.filter { $0.isMet == nil && ["uptime", "latency"].contains($0.name) }.map(\.name)
    }

    private var latencyVerdict: ReportDocument.Verdict {
        guard let latency = self.latency else {
            return .init(
                name: "latency", demanded: "99 % readable within \(SoakText.seconds(self.limits.latency))",
                measured: "not measured",
                isMet: nil)
        }
        let aside = latency.setAside.map { aside in
            " \(aside.count) more came while a planned fault held messages back or moved the exchange's clock, and are left "
                + "out: their p99 is \(SoakText.milliseconds(aside.p99))."
        }
        return latency.verdict(limit: self.limits.latency, note: aside ?? "")
    }

    private var spikesVerdict: ReportDocument.Verdict {
        let demanded = "at least \(SoakText.percent(self.limits.spikes)) of those visible"
        guard self.spikes.visible > 0 else {
            return .init(
                name: "spikes caught", demanded: demanded, measured: "no spike was visible", isMet: nil,
                note: self.spikes.reference.isEmpty
                    ? "Nothing says which spikes were visible: name a poller with --poll-every."
                    : "Run it longer, or on more markets.")
        }
        let share = Double(self.spikes.caught) / Double(self.spikes.visible)
        var note: String
        if self.spikes.reference == "truth" {
            note =
                "Every time of at least \(SoakText.seconds(self.spikes.shortest)) over the threshold by the exchange's own "
                + "books."
        } else {
            note = "Those that \(self.spikes.reference) saw: the website itself cannot be watched from here."
        }
        if self.spikes.hidden > 0 {
            note += " \(self.spikes.hidden) more are left out: the exchange told nobody of them."
        }
        return .init(
            name: "spikes caught", demanded: demanded,
            measured:
                "\(SoakText.percent(share)), \(ReportText.count(self.spikes.caught)) of \(ReportText.count(self.spikes.visible))",
            isMet: share >= self.limits.spikes, note: note)
    }

    private var uptimeVerdict: ReportDocument.Verdict {
        let demanded = "at least \(SoakText.percent(self.limits.uptime))"
        guard let share = self.uptime.share else {
            return .init(
                name: "uptime", demanded: demanded, measured: "nothing was due", isMet: nil,
                note: "No market was followed for long enough.")
        }
        guard let own = self.uptime.ownShare, self.uptime.excused > 0 else {
            return .init(
                name: "uptime", demanded: demanded,
                measured: SoakText.percent(share),
                isMet: share >= self.limits.uptime,
                note: "Of \(SoakText.span(self.uptime.due)) that were due, by the ledger.")
        }
        return .init(
            name: "uptime", demanded: demanded,
            measured: SoakText.percent(own),
            isMet: own >= self.limits.uptime,
            note:
                "\(SoakText.seconds(self.uptime.excused)) of the \(SoakText.span(self.uptime.due)) due were not live while a "
                + "planned fault kept the exchange from serving, and are left out; \(SoakText.percent(share)) with them."
                + (self.faults?.perMinute.map { " With \(SoakText.number($0, digits: 1)) faults a minute." } ?? ""))
    }

    private var recoveryVerdict: ReportDocument.Verdict {
        let demanded = "live again within \(SoakText.seconds(self.limits.recovery))"
        guard self.recoveries.count > 0 else {
            return .init(
                name: "recovery", demanded: demanded, measured: "no outage", isMet: nil,
                note: "Nothing was lost, so nothing had to come back.")
        }
        let isTold = self.recoveries.longest > self.recoveries.ownLongest + 0.05
        var note = "The longest of \(ReportText.count(self.recoveries.count))"
        if self.recoveries.ownSlow > 0 {
            note += ", of which \(ReportText.count(self.recoveries.ownSlow)) took too long"
        }
        note += ": from the last fresh data, or from when the exchange could be reached again."
        if isTold { note += " \(SoakText.seconds(self.recoveries.longest)) with the exchange's own part." }
        return .init(
            name: "recovery", demanded: demanded, measured: SoakText.seconds(self.recoveries.ownLongest),
            isMet: self.recoveries.ownSlow == 0, note: note)
    }

    private var memoryVerdict: ReportDocument.Verdict {
        let limit = SoakText.bytes(self.limits.memory)
        return Self.growth(
            "memory", self.memory, limit: self.limits.memory, demanded: "grows by less than \(limit) an hour"
        ) { SoakText.signedBytes($0) }
    }

    private var descriptorsVerdict: ReportDocument.Verdict {
        Self.growth(
            "descriptors", self.descriptors, limit: self.limits.descriptors,
            demanded: "grow by less than \(SoakText.number(self.limits.descriptors)) an hour"
        ) { SoakText.signed($0) }
    }

    private static func growth(
        _ name: String, _ slope: Slope?, limit: Double, demanded: String, _ text: (Double) -> String
    ) -> ReportDocument.Verdict {
        guard let slope else {
            return .init(
                name: name, demanded: demanded, measured: "too short to tell", isMet: nil,
                note: "The warm-up is left out, and what is left is too short.")
        }
        let measured = "\(text(slope.slope)) an hour"
        let bounds = "Between \(text(slope.lower)) and \(text(slope.upper)) an hour, with 95 % confidence."
        if slope.upper <= limit {
            return .init(name: name, demanded: demanded, measured: measured, isMet: true, note: bounds)
        }
        if slope.lower > limit {
            return .init(name: name, demanded: demanded, measured: measured, isMet: false, note: bounds)
        }
        return .init(
            name: name, demanded: demanded, measured: measured, isMet: nil,
            note: bounds + " The limit lies between them: run it longer.")
    }

    private var wrongVerdict: ReportDocument.Verdict? {
        guard let wrong = self.wrong else { return nil }
        let demanded = "live for no longer than \(SoakText.seconds(self.limits.wrong))"
        guard wrong.looks > 0 else {
            return .init(name: "wrong odds", demanded: demanded, measured: "nothing compared", isMet: nil)
        }
        return .init(
            name: "wrong odds", demanded: demanded,
            measured: wrong.longest > 0 ? SoakText.seconds(wrong.longest) : "never",
            isMet: wrong.longest <= self.limits.wrong,
            note: self.faults?.planned.isEmpty == false
                ? "The limit is how long a lost message may go unnoticed when silence and the witness tell nothing."
                : "")
    }
}

/// Numbers as people read them.
enum SoakText {
    static func number(_ value: Double, digits: Int = 0) -> String {
        guard value.isFinite else { return "?" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (abs(value) * scale).rounded() / scale
        let sign = value < 0 && rounded > 0 ? "−" : ""
        guard digits > 0 else { return "\(sign)\(ReportText.whole(rounded))" }
        let whole = ReportText.whole(rounded.rounded(.down))
        let rest = ReportText.whole((rounded - Double(whole)) * scale)
        let text = "\(rest)"
        return "\(sign)\(whole).\(String(repeating: "0", count: max(0, digits - text.count)))\(text)"
    }

    static func percent(_ share: Double) -> String {
        let percent = share * 100
        // 99.996 must not be told as 100.
        let digits = share > 0.99 && share < 1 ? 3 : 1
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let cut = (percent * scale).rounded(.down) / scale
        var text = self.number(cut, digits: digits)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return "\(text) %"
    }

    static func milliseconds(_ value: Double) -> String {
        switch value {
        case 1000...: "\(self.number(value / 1000, digits: 2)) s"
        case 100...: "\(self.number(value)) ms"
        case 1...: "\(self.number(value, digits: 1)) ms"
        case 0.001...: "\(self.number(value * 1000, digits: value < 0.01 ? 1 : 0)) µs"
        case 0...: value == 0 ? "0 ms" : "\(self.number(value * 1_000_000)) ns"
        default: "−\(self.milliseconds(-value))"
        }
    }

    static func seconds(_ value: Double) -> String {
        if value >= 120 { return self.span(value) }
        return value < 1 && value > 0
            ? self.milliseconds(value * 1000)
            : "\(self.number(value, digits: value == value.rounded() ? 0 : 2)) s"
    }

    /// Such as `2 h 5 min`.
    static func span(_ seconds: Double) -> String {
        let whole = ReportText.whole(seconds)
        if whole < 120 {
            return "\(self.number(seconds, digits: seconds < 10 && seconds != seconds.rounded() ? 1 : 0)) s"
        }
        if whole < 7200 { return "\(whole / 60) min\(whole % 60 > 0 ? " \(whole % 60) s" : "")" }
        return "\(whole / 3600) h\(whole / 60 % 60 > 0 ? " \(whole / 60 % 60) min" : "")"
    }

    static func bytes(_ value: Double) -> String {
        let size = abs(value)
        if size >= 10_485_760 { return "\(self.number(value / 1_048_576)) MB" }
        if size >= 1_048_576 {
            return
                "\(self.number(value / 1_048_576, digits: size.truncatingRemainder(dividingBy: 1_048_576) == 0 ? 0 : 1)) MB"
        }
        return "\(self.number(value / 1024)) kB"
    }

    static func signedBytes(_ value: Double) -> String { (value > 0 ? "+" : "") + self.bytes(value) }
    static func signed(_ value: Double) -> String { (value > 0.005 ? "+" : "") + self.number(value, digits: 2) }
}
