/// Everything that a comparison found: what is in the JSON of its report beside the header, schema `oddstream.compare/1`.
///
/// Times are Unix milliseconds, durations milliseconds, odds and prices dollars from 0 to 1.
package struct CompareFigures: Sendable, Codable {
    /// What was compared: `live`, `simulated`, `virtual` or `recording`.
    package var mode = "live"
    /// How it is known what was visible: `exchange`, `recording` or `union`.
    package var truth = "union"
    /// The command that made it; empty when none did.
    package var command = ""
    /// What it was made of: endpoints, recordings, seed.
    package var notes: [String] = []
    /// When the comparison began and ended.
    package var beginMs: Int64 = 0
    package var endMs: Int64 = 0
    /// What was compared with the threshold, and how strictly.
    package var basis = "displayed"
    package var threshold = 0.70
    package var hysteresis = 0.02
    package var allowanceMs = 250.0
    package var toleranceMs = 250.0
    /// The stream, then the pollers.
    package var sources: [CompareSource] = []
    /// How many markets were compared.
    package var markets = 0
    /// One for each poller.
    package var agreement: [Agreement] = []
    /// One for each source.
    package var catches: [SourceCatches] = []
    /// Every spike that was visible, by time.
    package var spikes: [SpikeRow] = []
    /// What did not agree, and answers that were not believed; as many as are listed.
    package var disagreements: [Disagreement] = []
    /// One for each poller and class.
    package var phases: [Phases] = []
    /// The faults that were in force.
    package var faults: [CompareFault] = []
    /// The markets that are plotted, the most interesting first.
    package var plots: [Plot] = []

    package init() {}

    /// Spikes of at least this time over the threshold.
    package enum Length: String, Sendable, Codable, CaseIterable {
        case all
        case tenth = "100ms"
        case second = "1s"
        case minute = "60s"

        /// The shortest time over the threshold, in milliseconds.
        package var leastMs: Double {
            switch self {
            case .all: 0
            case .tenth: 100
            case .second: 1000
            case .minute: 60_000
            }
        }

        /// In words.
        package var text: String {
            switch self {
            case .all: "all"
            case .tenth: "100 ms or more"
            case .second: "1 s or more"
            case .minute: "60 s or more"
            }
        }
    }

    /// How a poller's answers agree with the stream.
    package struct Agreement: Sendable, Codable {
        /// The poller.
        package var source: String
        /// Questions that were over: one for each market and look.
        package var questions = 0
        /// Questions without an answer.
        package var failed = 0
        /// Answers that the poller itself did not believe.
        package var refused = 0
        /// Answers at which the stream had no odds that it believed.
        package var streamAbsent = 0
        /// Answers that were compared.
        package var compared = 0
        /// Those that were what the stream showed at the instant of receipt.
        package var agreeRaw = 0
        /// Those that were what the stream had at the exchange's stamp of the answer, exactly.
        package var agreeExactly = 0
        /// Those that were what the stream had at that stamp (however late it came), within the tolerance of it, or while
        /// the question was out.
        package var agreeAligned = 0
        /// Of the compared answers, those that came while the stream said that it was live.
        package var live = 0
        /// Of those, the ones that agree after alignment.
        package var liveAligned = 0
        /// Why answers differed at the instant of receipt that agree at their stamp, by reason.
        package var rawReasons: [String: Int] = [:]
        /// What the others are, by class.
        package var classes: [String: Int] = [:]
        /// The longest that the stream was behind while it said that it was live; nil when it never was.
        package var behindMaxMs: Double?

        /// Answers that the truth does not contradict, while the stream said that it was live: both claim to be right.
        package var claimed: Int { self.live - (self.classes["ghost"] ?? 0) - (self.classes["stale_answer"] ?? 0) }
        /// Of those, the ones at which both say the same, or were both right.
        package var claimedAgreed: Int { self.liveAligned + (self.classes["both_right"] ?? 0) }
        /// Of those, the ones at which the stream was behind: before an outage of every line could be noticed, or
        /// because a message came later than the tolerance allows.
        package var claimedBehind: Int {
            (self.classes["stream_behind"] ?? 0) + (self.classes["stream_late"] ?? 0)
        }

        private enum CodingKeys: String, CodingKey {
            case source, questions, failed, refused, compared, live, classes
            case streamAbsent = "stream_absent"
            case agreeRaw = "agree_raw"
            case agreeExactly = "agree_exactly"
            case agreeAligned = "agree_aligned"
            case liveAligned = "live_aligned"
            case rawReasons = "raw_reasons"
            case behindMaxMs = "behind_max_ms"
        }
    }

    /// What a source caught.
    package struct SourceCatches: Sendable, Codable {
        /// The source.
        package var source: String
        /// One for each class of length.
        package var lengths: [Caught] = []
        /// The delays of all catches of spikes of 100 ms or more, in order.
        package var delaysMs: [Double] = []
        /// Why spikes were missed, by class.
        package var missed: [String: Int] = [:]

        private enum CodingKeys: String, CodingKey {
            case source, lengths, missed
            case delaysMs = "delays_ms"
        }
    }

    /// How many spikes of a length were caught, and how late.
    package struct Caught: Sendable, Codable {
        package var length: Length
        package var spikes = 0
        package var caught = 0
        /// Of those that were caught.
        package var delayP50Ms: Double?
        package var delayP90Ms: Double?
        package var delayP99Ms: Double?
        package var delayMaxMs: Double?
        /// Displayed odds at the catch minus at the beginning, in ticks, on average; above zero is dearer.
        package var paidDisplayedTicks: Double?
        /// The best ask at the catch minus at the beginning, in ticks, on average; above zero is dearer.
        package var paidAskTicks: Double?

        private enum CodingKeys: String, CodingKey {
            case length, spikes, caught
            case delayP50Ms = "delay_p50_ms"
            case delayP90Ms = "delay_p90_ms"
            case delayP99Ms = "delay_p99_ms"
            case delayMaxMs = "delay_max_ms"
            case paidDisplayedTicks = "paid_displayed_ticks"
            case paidAskTicks = "paid_ask_ticks"
        }
    }

    /// A spike that was visible.
    package struct SpikeRow: Sendable, Codable {
        package var number: Int
        /// The market's readable name, or its id where none is known.
        package var market: String
        /// `yes` or `no`.
        package var side: String
        package var beginMs: Double
        package var endMs: Double
        package var peak: Double
        package var peakMs: Double
        /// From the first moment to the last.
        package var durationMs: Double
        /// How long the odds were really at or over the threshold.
        package var visibleMs: Double
        package var threshold: Double
        /// Displayed odds and best ask at the beginning; nil where there was none.
        package var odds: Double?
        package var ask: Double?
        /// One for each source.
        package var sights: [Sight] = []

        private enum CodingKeys: String, CodingKey {
            case number, market, side, peak, threshold, odds, ask, sights
            case beginMs = "begin_ms"
            case endMs = "end_ms"
            case peakMs = "peak_ms"
            case durationMs = "duration_ms"
            case visibleMs = "visible_ms"
        }
    }

    /// What a source made of a spike.
    package struct Sight: Sendable, Codable {
        package var source: String
        package var caught: Bool
        /// From the first visible moment to the first sight; nil when it was missed.
        package var delayMs: Double?
        package var paidDisplayedTicks: Double?
        package var paidAskTicks: Double?
        /// Why it was missed: a class, and a sentence; nil when it was caught.
        package var missed: String?
        package var explanation: String?

        private enum CodingKeys: String, CodingKey {
            case source, caught, missed, explanation
            case delayMs = "delay_ms"
            case paidDisplayedTicks = "paid_displayed_ticks"
            case paidAskTicks = "paid_ask_ticks"
        }
    }

    /// An answer that differs from the stream, or that the poller did not believe.
    package struct Disagreement: Sendable, Codable {
        package var source: String
        package var market: String
        package var askedMs: Double
        package var answeredMs: Double
        package var stampMs: Int64?
        package var hash: String?
        /// What the answer said, and what the stream had then.
        package var poller: String
        package var stream: String
        /// How far the stream believed it.
        package var trust: String
        /// `stream_not_live`, `stream_behind`, `refused`, `ghost`, `stale_answer`, `both_right`, `in_batch` or `unexplained`.
        package var kind: String
        package var explanation: String
        /// Who was wrong, by the truth: `stream`, `poller`, `both` or `neither`; nil where that is not known.
        package var wrong: String?

        private enum CodingKeys: String, CodingKey {
            case source, market, hash, poller, stream, trust, kind, explanation, wrong
            case askedMs = "asked_ms"
            case answeredMs = "answered_ms"
            case stampMs = "stamp_ms"
        }
    }

    /// What a poller that answers at once and never fails would have met, whatever the phase of its clock.
    package struct Phases: Sendable, Codable {
        package var source: String
        package var length: Length
        package var spikes: Int
        /// How many were met, for each phase.
        package var met: [Int] = []

        /// The share met, on average over the phases; nil without spikes.
        package var average: Double? {
            guard self.spikes > 0, !self.met.isEmpty else { return nil }
            return Double(self.met.reduce(0, +)) / Double(self.met.count * self.spikes)
        }
    }

    /// One market's odds over time.
    package struct Plot: Sendable, Codable {
        package var market: String
        package var sources: [Line] = []
        /// Numbers of the spikes in it.
        package var spikes: [Int] = []
        /// What makes it interesting; more is more.
        package var interest = 0

        /// What one source showed: displayed odds of YES; nil where it showed none.
        package struct Line: Sendable, Codable {
            package var source: String
            package var timesMs: [Int64] = []
            package var odds: [Double?] = []

            private enum CodingKeys: String, CodingKey {
                case source, odds
                case timesMs = "times_ms"
            }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case mode, truth, command, notes, basis, threshold, hysteresis, sources, markets, agreement, catches, spikes,
            disagreements, phases, faults, plots
        case beginMs = "begin_ms"
        case endMs = "end_ms"
        case allowanceMs = "allowance_ms"
        case toleranceMs = "tolerance_ms"
    }
}

extension CompareFigures {
    /// The share of spikes of a length that a source caught; nil without spikes.
    package func caught(by source: CompareSource, _ length: Length) -> Caught? {
        self.catches.first { $0.source == source.name }?.lengths.first { $0.length == length }
    }

    /// Spikes of 100 ms or more that the stream missed.
    package var missedByStream: [SpikeRow] {
        self.spikes.filter { $0.visibleMs >= Length.tenth.leastMs && $0.sights.first?.caught == false }
    }
}
