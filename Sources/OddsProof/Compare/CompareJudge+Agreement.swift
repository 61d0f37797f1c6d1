import OddsCore

/// How an answer goes together with what the stream had.
enum CompareAlignment {
    /// The stream had the very same at the answer's stamp.
    case exact
    /// It had the same within the tolerance of the stamp, or while the question was out.
    case near
    /// It had the very same of that stamp, and received it only after the answer: the stream was late.
    case later(Sighting)
    /// It had something else at the very stamp of the answer.
    case inBatch(Sighting)
    /// It had something else.
    case other(Sighting)
    /// It had nothing that it believed.
    case absent(Sighting?)

    var isAgreement: Bool {
        switch self {
        case .exact, .near, .later: true
        case .inBatch, .other, .absent: false
        }
    }
}

extension CompareJudge {
    /// How long the exchange may have had a book before it was asked for, as far as is looked back.
    private static let lookBack: Int64 = 120_000_000_000
    /// How much later than an answer the stream may have received the same book.
    private static let lookAhead: Int64 = 10_000_000_000

    /// How an answer goes together with what the stream had; nil without a book.
    func alignment(of answer: PollAnswer) -> CompareAlignment? {
        guard let tops = answer.tops, let stamp = answer.stamp else { return nil }
        let stream = self.track.shown[0]
        let slack = self.configuration.tolerance.wholeNanoseconds
        let from = Swift.max(0, Swift.min(answer.asked, Timestamp(milliseconds: stamp).unixNanoseconds)) - Self.lookBack
        let first = stream.index(at: from) ?? 0
        let last = stream.firstIndex(after: answer.answered + Self.lookAhead)
        let tolerance = slack / 1_000_000
        var isNear = false
        var later: Sighting?
        var atStamp: Sighting?
        var nearest: Sighting?
        for index in first..<Swift.max(first, last) {
            let version = stream.entries[index]
            guard version.trust.isUsable else { continue }
            let until = index + 1 < stream.entries.count ? stream.entries[index + 1] : nil
            let nextStamp = until.map { Swift.max($0.stamp, version.stamp) } ?? .max
            let holds = version.stamp <= stamp && stamp <= nextStamp
            let holdsNearly = version.stamp <= stamp + tolerance && stamp - tolerance <= nextStamp
            let isInFlight = version.time <= answer.answered + slack && (until?.time ?? .max) >= answer.asked - slack
            let isLate = version.time > answer.answered + slack
            if version.tops.agrees(with: tops) {
                if holds, !isLate { return .exact }
                if holds { later = later ?? version }
                isNear = isNear || !isLate && (holdsNearly || isInFlight)
            } else if !isLate {
                if version.stamp == stamp { atStamp = version }
                if holds || nearest == nil && isInFlight { nearest = version }
            }
        }
        if isNear { return .near }
        if let later { return .later(later) }
        let shown = stream.at(answer.answered)
        guard shown?.trust.isUsable == true else { return .absent(shown) }
        if let atStamp { return .inBatch(atStamp) }
        return (nearest ?? shown).map { .other($0) } ?? .absent(nil)
    }

    /// Holds every answer of every poller against the stream.
    func agree(into figures: inout CompareFigures) {
        // What comes after the window's end is no odds any more.
        for answer in self.track.answers where answer.answered < self.end && answer.asked >= self.begin {
            let place = answer.source - 1
            figures.agreement[place].questions += 1
            switch answer.verdict {
            case .failed: figures.agreement[place].failed += 1
            case .refused(let why):
                figures.agreement[place].refused += 1
                self.list(answer, "refused", why, self.track.shown[0].at(answer.answered), into: &figures)
            case .believed: self.compare(answer, &figures.agreement[place], into: &figures.disagreements)
            }
        }
    }

    /// When the stream first had odds: a poller that was earlier has nothing to be compared with.
    private var begin: Int64 { self.track.shown[0].entries.first?.time ?? .max }

    private func compare(
        _ answer: PollAnswer, _ agreement: inout CompareFigures.Agreement,
        into list: inout [CompareFigures.Disagreement]
    ) {
        guard let tops = answer.tops, let alignment = self.alignment(of: answer) else { return }
        let shown = self.track.shown[0].at(answer.answered)
        let isSame = shown.map { $0.trust.isUsable && $0.tops.agrees(with: tops) } ?? false
        if case .absent(let had) = alignment {
            agreement.streamAbsent += 1
            agreement.classes["stream_not_live", default: 0] += 1
            let why = had.map { "the stream was \($0.trust.text)" } ?? "the stream had no odds yet"
            return self.add(answer, "stream_not_live", self.why(why, answer), had, to: &list)
        }
        let isLive = shown?.trust.isLive == true
        agreement.compared += 1
        if isLive { agreement.live += 1 }
        if isSame { agreement.agreeRaw += 1 }
        let stream: Sighting?
        switch alignment {
        case .later(let version):
            // Aligned it would agree, but later than the tolerance allows: that is an exception of its own.
            let behind = version.time - answer.answered
            let kind = isLive ? "stream_late" : "stream_not_live"
            if isLive {
                agreement.behindMaxMs = Swift.max(agreement.behindMaxMs ?? 0, Self.milliseconds(behind))
            }
            agreement.classes[kind, default: 0] += 1
            let text = "the stream received the same \(CompareText.time(Self.milliseconds(behind))) after the answer"
            return self.add(answer, kind, self.why(text, answer), shown, to: &list)
        case .exact, .near:
            agreement.agreeAligned += 1
            if isLive { agreement.liveAligned += 1 }
            if case .exact = alignment { agreement.agreeExactly += 1 }
            if !isSame {
                agreement.rawReasons[self.rawReason(answer, shown), default: 0] += 1
            }
            return
        case .absent: return
        case .inBatch(let version), .other(let version): stream = version
        }
        let judged = self.judge(answer, tops, shown, alignment)
        if judged.kind == "stream_behind", let behind = judged.behind {
            agreement.behindMaxMs = Swift.max(agreement.behindMaxMs ?? 0, Self.milliseconds(behind))
        }
        agreement.classes[judged.kind, default: 0] += 1
        self.add(answer, judged.kind, self.why(judged.text, answer), stream, wrong: judged.wrong, to: &list)
    }

    /// The longest that the stream may take to notice that no line brings anything: silence is looked into after 5 s at
    /// most, and what the witness then says is waited for.
    private static let notice: Int64 = 6_000_000_000

    /// Who was wrong, by the truth, when an answer and the stream differ.
    private func judge(
        _ answer: PollAnswer, _ tops: MarketTops, _ shown: Sighting?, _ alignment: CompareAlignment
    ) -> (kind: String, text: String, wrong: String?, behind: Int64?) {
        let slack = self.configuration.tolerance.wholeNanoseconds
        let behind = shown.flatMap { self.lag(of: $0.tops, at: answer.answered, atMost: Self.notice) }
        let age = self.lag(of: tops, at: answer.answered, atMost: Self.lookBack)
        let isKnown = self.configuration.truth != .union && self.truth.index(at: answer.answered) != nil
        let isStreamRight = behind.map { $0 <= slack } ?? false
        let isAnswerRight = age.map { $0 <= slack + (answer.answered - answer.asked) } ?? false
        var wrong: String?
        if isKnown {
            switch (isStreamRight, isAnswerRight) {
            case (true, true): wrong = "neither"
            case (true, false): wrong = "poller"
            case (false, true): wrong = "stream"
            case (false, false): wrong = "both"
            }
        }
        func late(_ lag: Int64?) -> String {
            lag.map { CompareText.time(Self.milliseconds($0)) + " behind what was true" } ?? "not what was true lately"
        }
        var text = "the stream was \(shown?.trust.text ?? "without odds")"
        if case .inBatch = alignment { text += " and had another book of the same stamp" }
        if isKnown { text += ", \(late(behind)); the answer was \(late(age))" }
        let kind: String
        if shown?.trust.isLive != true {
            kind = "stream_not_live"
        } else if !isKnown {
            if case .inBatch = alignment { kind = "in_batch" } else { kind = "unexplained" }
        } else if !isAnswerRight {
            kind = tops.hasGhostShape ? "ghost" : "stale_answer"
        } else if isStreamRight {
            kind = "both_right"
        } else if behind != nil, self.isFeedHit(answer.asked, answer.answered) {
            kind = "stream_behind"
        } else {
            kind = "unexplained"
        }
        return (kind, text, wrong, behind)
    }

    /// How long ago something was last true; nil when it was not within a time, or that is not known.
    private func lag(of tops: MarketTops, at time: Int64, atMost limit: Int64) -> Int64? {
        guard self.configuration.truth != .union else { return nil }
        let entries = self.truth.entries
        guard let last = self.truth.index(at: time) else { return nil }
        for index in stride(from: last, through: 0, by: -1) {
            let until = index == last ? time : entries[index + 1].time
            if until < time - limit { return nil }
            if entries[index].tops.agrees(with: tops) { return time - until }
        }
        return nil
    }

    private func rawReason(_ answer: PollAnswer, _ shown: Sighting?) -> String {
        guard let shown, shown.trust.isUsable else { return "stream_not_live" }
        guard let stamp = answer.stamp else { return "other" }
        let ahead = shown.stamp - stamp
        let flight = (answer.answered - answer.asked) / 1_000_000
        if ahead > flight + self.configuration.tolerance.wholeNanoseconds / 1_000_000 { return "stale_rest" }
        return ahead >= 0 ? "stream_newer" : "answer_newer"
    }

    private func why(_ text: String, _ answer: PollAnswer) -> String {
        [text, self.faultText(answer.asked, answer.answered) ?? "no fault in force"].joined(separator: "; ")
    }

    private func list(
        _ answer: PollAnswer, _ kind: String, _ text: String, _ stream: Sighting?, into figures: inout CompareFigures
    ) {
        figures.agreement[answer.source - 1].classes[kind, default: 0] += 1
        self.add(answer, kind, self.why(text, answer), stream, to: &figures.disagreements)
    }

    private func add(
        _ answer: PollAnswer, _ kind: String, _ text: String, _ stream: Sighting?,
        wrong: String? = nil, to list: inout [CompareFigures.Disagreement]
    ) {
        guard list.count(where: { $0.kind == kind }) < self.configuration.listed else { return }
        list.append(
            CompareFigures.Disagreement(
                source: self.sources[answer.source].name, market: self.name, askedMs: Self.milliseconds(answer.asked),
                answeredMs: Self.milliseconds(answer.answered), stampMs: answer.stamp, hash: answer.hash,
                poller: answer.tops?.text ?? "nothing", stream: stream?.tops.text ?? "nothing",
                trust: stream?.trust.text ?? "no odds", kind: kind, explanation: text, wrong: wrong))
    }

    // MARK: Plot

    /// How many steps of time a plot is thinned to; in each the extremes stay.
    private static let steps: Int64 = 500

    func plot(_ numbers: [Int], interest: Int) -> CompareFigures.Plot {
        var plot = CompareFigures.Plot(market: self.name, spikes: numbers, interest: interest)
        var lines = [self.line("truth", self.truth.entries)]
        lines.append(self.line(self.sources[0].name, self.track.shown[0].entries))
        for source in self.sources.indices.dropFirst() {
            let answers = self.track.answers.filter { $0.source == source && $0.verdict == .believed }
            let points = answers.compactMap { answer in
                answer.tops.map {
                    Sighting(time: answer.answered, stamp: answer.stamp ?? 0, tops: $0, trust: TrustCode(.fallback))
                }
            }
            lines.append(self.line(self.sources[source].name, points))
        }
        if self.configuration.truth == .union { lines.removeFirst() }
        plot.sources = lines
        return plot
    }

    private func line(_ name: String, _ entries: [Sighting]) -> CompareFigures.Plot.Line {
        var line = CompareFigures.Plot.Line(source: name)
        guard let first = entries.first, let last = entries.last else { return line }
        let step = Swift.max(1, (last.time - first.time) / Self.steps)
        var bucket: [(time: Int64, odds: Double?)] = []
        var number: Int64 = 0
        func flush() {
            guard !bucket.isEmpty else { return }
            var keep: Set<Int> = [0, bucket.count - 1]
            let known = bucket.indices.filter { bucket[$0].odds != nil }
            if let low = known.min(by: { bucket[$0].odds ?? 0 < bucket[$1].odds ?? 0 }) { keep.insert(low) }
            if let high = known.max(by: { bucket[$0].odds ?? 0 < bucket[$1].odds ?? 0 }) { keep.insert(high) }
            if let gap = bucket.firstIndex(where: { $0.odds == nil }) { keep.insert(gap) }
            for index in keep.sorted() {
                line.timesMs.append(bucket[index].time / 1_000_000)
                line.odds.append(bucket[index].odds)
            }
            bucket = []
        }
        for entry in entries where entry.time <= self.end {
            let place = (entry.time - first.time) / step
            if place != number {
                flush()
                number = place
            }
            let odds = entry.trust.isUsable ? entry.tops.odds(.yes, self.configuration.basis)?.doubleValue : nil
            bucket.append((entry.time, odds))
        }
        flush()
        return line
    }
}
