package import OddsCore
import OddsReports
import OddsTrading

/// What is compared, and how strictly.
package struct CompareConfiguration: Sendable {
    /// How it is known which odds were really visible.
    package enum Truth: String, Sendable, Codable {
        /// The simulated exchange's own state.
        case exchange
        /// What was recorded on all lines, by the exchange's time.
        case recording
        /// What any source saw: nothing else knows.
        case union
    }

    /// How it is known what was visible.
    package var truth = Truth.union
    /// What is compared with the threshold: what the website shows.
    package var basis = OddsBasis.displayed
    /// Odds at or over this are a spike.
    package var threshold: Odds = 0.70
    /// How far below the threshold odds must fall for a spike to be over.
    package var hysteresis: Odds = 0.02
    /// How long after a spike has gone a source may show it and still have caught it.
    package var allowance = Duration.milliseconds(250)
    /// How far the exchange's stamps of an answer and of the stream may lie apart.
    package var tolerance = Duration.milliseconds(250)
    /// This machine's clock minus the venue's, the shortest way here included: the truth's times of a recording have it.
    package var stampOffset = Duration.zero
    /// How many phases of each poller's clock are tried.
    package var phases = 60
    /// How many markets are plotted at most.
    package var plots = 8
    /// How many exceptions of each kind are listed at most; all are counted.
    package var listed = 500

    /// The defaults.
    package init() {}

    /// Each rise over the threshold by itself: joining what flickers would make long spikes of short ones.
    var detector: SpikeDetectorConfiguration {
        SpikeDetectorConfiguration(
            basis: self.basis, threshold: self.threshold, hysteresis: self.hysteresis, cooldown: .zero)
    }
}

/// One of the sources that are compared.
package struct CompareSource: Hashable, Sendable, Codable {
    /// What it is called in tables.
    package var name: String
    /// How often it asks, in seconds; nil for a stream.
    package var interval: Double?

    /// The stream.
    package static let stream = CompareSource(name: "stream", interval: nil)

    /// A poller.
    package static func poller(_ interval: Duration) -> CompareSource {
        CompareSource(name: "poller \(CompareText.duration(interval))", interval: interval.secondsValue)
    }

    /// Whether it asks now and then.
    package var isPoller: Bool { self.interval != nil }
}

/// A fault that was in force, as far as it is known.
package struct CompareFault: Hashable, Sendable, Codable {
    /// From when on, in Unix milliseconds.
    package var from: Int64
    /// Until when, in Unix milliseconds; the same for one that is over at once.
    package var until: Int64
    /// What and for whom.
    package var text: String
    /// What it can do to the stream.
    package var reach: Reach

    /// What a fault can do to the stream.
    package enum Reach: String, Sendable, Codable {
        /// Nothing: it is about answers, markets or prices, or harmless.
        case none
        /// It hits one line; the others go on.
        case line
        /// It hits every line.
        case feed
    }

    /// A fault from its parts.
    package init(from: Int64, until: Int64, text: String, reach: Reach = .feed) {
        self.from = from
        self.until = until
        self.text = text
        self.reach = reach
    }
}

/// What came of one question of a poller for a market.
package struct PollAnswer: Sendable {
    /// What the poller made of it.
    package enum Verdict: Sendable, Hashable {
        /// It is what the poller shows now.
        case believed
        /// It was not believed: a ghost, or older than what was known.
        case refused(String)
        /// There was none.
        case failed(String)
    }

    /// The poller's place among the sources.
    package var source: Int
    /// The market.
    package var market: Market
    /// When it was asked, in Unix nanoseconds.
    package var asked: Int64
    /// When the answer was there, in Unix nanoseconds.
    package var answered: Int64
    /// The exchange's stamp on the book, in milliseconds; nil without a book.
    package var stamp: Int64?
    /// The exchange's hash of the book; nil when there is none.
    package var hash: String?
    /// What the answer says; nil without a book.
    package var tops: MarketTops?
    /// What the poller made of it.
    package var verdict: Verdict

    /// An answer from its parts.
    package init(
        source: Int, market: Market, asked: Int64, answered: Int64, stamp: Int64?, hash: String? = nil,
        tops: MarketTops?, verdict: Verdict
    ) {
        self.source = source
        self.market = market
        self.asked = asked
        self.answered = answered
        self.stamp = stamp
        self.hash = hash
        self.tops = tops
        self.verdict = verdict
    }
}

/// How times and shares are written.
package enum CompareText {
    /// `60s`, `1.5s`, `250ms`.
    package static func duration(_ duration: Duration) -> String {
        let nanoseconds = duration.wholeNanoseconds
        if nanoseconds % 1_000_000_000 == 0 { return "\(nanoseconds / 1_000_000_000)s" }
        return abs(nanoseconds) < 1_000_000_000
            ? "\(Self.fixed(Double(nanoseconds) / 1e6, 0))ms" : "\(Self.fixed(duration.secondsValue, 2))s"
    }

    /// `1.42 s` or `42 ms`, from milliseconds.
    package static func time(_ milliseconds: Double) -> String {
        abs(milliseconds) < 1000 ? "\(Self.fixed(milliseconds, 0)) ms" : "\(Self.fixed(milliseconds / 1000, 2)) s"
    }

    /// A share in percent with two decimals, never rounded up to 100; `–` of nothing.
    package static func percent(_ part: Int, of all: Int) -> String {
        guard all > 0 else { return "–" }
        let (product, isTooLarge) = part.multipliedReportingOverflow(by: 10_000)
        let hundredths = isTooLarge ? Int(ReportText.whole(Double(part) / Double(all) * 10_000)) : product / all
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) %"
    }

    /// A number with so many decimals.
    package static func fixed(_ value: Double, _ decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = ReportText.whole(value * scale)
        guard decimals > 0 else { return "\(scaled)" }
        let whole = scaled.magnitude / UInt64(scale)
        let rest = "\(scaled.magnitude % UInt64(scale))"
        return (scaled < 0 ? "-" : "") + "\(whole).\(String(repeating: "0", count: decimals - rest.count))\(rest)"
    }
}
