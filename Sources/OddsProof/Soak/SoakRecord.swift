package import OddsCore
package import OddsReports

/// Everything that a soak has measured: the JSON of `oddstream soak`, from which its report is made.
///
/// Times are Unix milliseconds by this machine's wall clock (`_ms`) or seconds since the start by its monotonic clock (`_s`).
package struct SoakRecord: Sendable, Codable {
    /// The name of the format.
    package static let schema = "oddstream.soak/1"

    package var schema = SoakRecord.schema
    /// The program's version.
    package var program: String
    /// When this was written.
    package var generated: Int64 = 0
    /// What was streamed from: `simulated`, or the host of the market channel.
    package var source: String
    /// When it began.
    package var from: Int64
    /// When it ended, or up to when it has run.
    package var until: Int64
    /// How long it was to take, in seconds.
    package var planned: Double
    /// How long it has really run, in seconds, by the monotonic clock: time in which the machine slept is not in it.
    package var ran = 0.0
    /// How it ended: `time`, `interrupted`, or `running` while it does.
    package var ending = "running"
    /// What was met.
    package var verdicts: [ReportDocument.Verdict] = []
    /// The markets that were asked for, in words.
    package var markets: [String] = []
    /// The limits that verdicts are made by.
    package var limits = Limits()
    /// Uptime by the ledger.
    package var uptime = Uptime()
    /// The same for each series.
    package var series: [String: Uptime] = [:]
    /// What readers of the worst market were given over time.
    package var strip = StandingStrip()
    /// Connections.
    package var lines = Lines()
    /// Incidents by kind, in the order of their kinds.
    package var incidents: [Kind] = []
    /// Recoveries.
    package var recoveries = Recoveries()
    /// Odds that were served as live and were not the exchange's; nil when the truth is not known.
    package var wrong: Wrong?
    /// Spikes.
    package var spikes = Spikes()
    /// Latency.
    package var latency: LatencyRecord?
    /// Memory, descriptors, threads and processor time.
    package var process = SoakSamples()
    /// What is left out of the slopes at the beginning, in seconds.
    package var warmUp = 0.0
    /// How resident memory grows, in bytes an hour; nil when it cannot be told yet.
    package var memory: Slope?
    /// How the number of descriptors grows, an hour; nil when it cannot be told yet.
    package var descriptors: Slope?
    /// Clocks and pauses.
    package var time = Time()
    /// What was planned to go wrong; nil when nothing was simulated.
    package var faults: Faults?
    /// What was counted: messages, updates, trades and the like.
    package var counters: [String: UInt64] = [:]

    private enum CodingKeys: String, CodingKey {
        case schema, program
        case generated = "generated_at_ms"
        case source
        case from = "from_ms"
        case until = "until_ms"
        case planned = "planned_s"
        case ran = "ran_s"
        case ending, verdicts, markets, limits, uptime, series, strip, lines, incidents, recoveries, wrong, spikes
        case latency, process
        case warmUp = "warm_up_s"
        case memory, descriptors, time, faults, counters
    }

    /// A record that begins.
    package init(program: String, source: String, from: Int64, planned: Double) {
        self.program = program
        self.source = source
        self.from = from
        self.until = from
        self.planned = planned
    }

    /// What is demanded.
    package struct Limits: Sendable, Codable, Hashable {
        /// From the exchange's stamp to readable odds, in seconds.
        package var latency = 1.0
        /// The share of visible spikes that must be caught.
        package var spikes = 0.9
        /// The share of due time that must be up.
        package var uptime = 0.999
        /// How long to be back, in seconds.
        package var recovery = 10.0
        /// How long odds may be wrong and called live, in seconds: how long detection takes at most.
        package var wrong = 9.0
        /// How fast memory may grow, in bytes an hour.
        package var memory = 1_048_576.0
        /// How fast descriptors may grow, in an hour.
        package var descriptors = 1.0

        private enum CodingKeys: String, CodingKey {
            case latency = "latency_s"
            case spikes = "spikes_share"
            case uptime = "uptime_share"
            case recovery = "recovery_s"
            case wrong = "wrong_s"
            case memory = "memory_bytes_per_hour"
            case descriptors = "descriptors_per_hour"
        }
    }

    /// Time that was due, and what was served in it.
    package struct Uptime: Sendable, Codable, Hashable {
        /// The time in which odds should have been live, over all markets, in seconds.
        package var due = 0.0
        /// The time in which they were, in seconds.
        package var up = 0.0
        /// Up as a share of due; nil when nothing was due.
        package var share: Double?
        /// Seconds by what was served.
        package var served: [String: Double] = [:]
        /// Seconds that were due and not up, by the kind of the incident that took them.
        package var lost: [String: Double] = [:]
        /// Of the lost time, that in which the exchange itself was hindered, in seconds; 0 when that is not known.
        package var excused = 0.0
        /// The share without the time in which the exchange itself was hindered; nil when that is not known.
        package var ownShare: Double?

        package init() {}

        /// What a ledger says.
        package init(_ uptime: OddsCore.Uptime) {
            self.due = uptime.due.secondsValue
            self.up = uptime.up.secondsValue
            self.share = uptime.share
            for (standing, time) in uptime.times.spent { self.served[standing.rawValue] = time.secondsValue }
            for (kind, time) in uptime.lost { self.lost[kind.rawValue] = time.secondsValue }
        }

        private enum CodingKeys: String, CodingKey {
            case due = "due_s"
            case up = "up_s"
            case share
            case served = "served_s"
            case lost = "lost_s"
            case excused = "excused_s"
            case ownShare = "own_share"
        }
    }

    /// Connections of the market channel.
    package struct Lines: Sendable, Codable, Hashable {
        /// Live connections that were lost.
        package var disconnects: UInt64 = 0
        /// How often a line was live again after it was not.
        package var reconnects: UInt64 = 0
        /// Attempts that failed.
        package var failures: UInt64 = 0
    }

    /// The incidents of one kind.
    package struct Kind: Sendable, Codable, Hashable {
        /// The kind, as in `/v1/incidents`.
        package var kind: String
        /// How many began.
        package var count: Int
        /// Of those that are over, the longest, in seconds.
        package var longest = 0.0
        /// Of those that are over, all together, in seconds.
        package var total = 0.0
        /// The due time that they took, in seconds.
        package var lost = 0.0

        private enum CodingKeys: String, CodingKey {
            case kind, count
            case longest = "longest_s"
            case total = "total_s"
            case lost = "lost_s"
        }
    }

    /// One recovery.
    package struct Recovery: Sendable, Codable, Hashable {
        /// The incident's number.
        package var incident: UInt64
        /// Whose: a market's slug, or `line 0`.
        package var subject: String
        /// The incident's kind.
        package var kind: String
        /// When the last fresh data came.
        package var begin: Int64
        /// When it was live again.
        package var end: Int64
        /// From one to the other, in seconds.
        package var duration: Double
        /// What of it is the program's own: from when the exchange could be reached again, in seconds.
        package var own: Double
        /// The due time that was not served live, in seconds.
        package var lost: Double
        /// What kept the exchange, in a few words; empty when nothing did.
        package var hindrance: String

        private enum CodingKeys: String, CodingKey {
            case incident, subject, kind
            case begin = "begin_ms"
            case end = "end_ms"
            case duration = "duration_s"
            case own = "own_s"
            case lost = "lost_s"
            case hindrance
        }
    }

    /// All recoveries.
    package struct Recoveries: Sendable, Codable {
        /// How many incidents ended well.
        package var count = 0
        /// How many of them took longer than the limit.
        package var slow = 0
        /// How many of them took longer than the limit from when the exchange could be reached again.
        package var ownSlow = 0
        /// The longest, in seconds.
        package var longest = 0.0
        /// The longest from when the exchange could be reached again, in seconds.
        package var ownLongest = 0.0
        /// How long they took.
        package var durations: LatencyDistribution?
        /// The program's own part of it.
        package var owns: LatencyDistribution?
        /// The worst, by their own part.
        package var worst: [Recovery] = []

        private enum CodingKeys: String, CodingKey {
            case count, slow
            case ownSlow = "own_slow"
            case longest = "longest_s"
            case ownLongest = "own_longest_s"
            case durations
            case owns = "own_durations"
            case worst
        }
    }

    /// Odds that were served as live and were not the exchange's.
    package struct Wrong: Sendable, Codable, Hashable {
        /// The longest time, in seconds.
        package var longest = 0.0
        /// When that began, in seconds since the start.
        package var at: Double?
        /// Of which market.
        package var market: String?
        /// The longest time between two looks, in seconds: nothing finer is measured.
        package var resolution = 0.0
        /// How often it was looked.
        package var looks: UInt64 = 0
        /// What was wrong with the exchange around the longest time.
        package var suspects: [String] = []

        private enum CodingKeys: String, CodingKey {
            case longest = "longest_s"
            case at = "at_s"
            case market
            case resolution = "resolution_s"
            case looks, suspects
        }
    }

    /// Spikes.
    package struct Spikes: Sendable, Codable {
        /// Where the visible ones are known from: `truth`, `poller 1s`, or empty when there is nothing to tell them by.
        package var reference = ""
        /// The shortest that counts, in seconds.
        package var shortest = 0.1
        /// How many were visible.
        package var visible = 0
        /// How many of them the stream's detector caught.
        package var caught = 0
        /// How many were visible to nobody but the exchange, since it kept them to itself.
        package var hidden = 0
        /// How many the stream's detector told.
        package var streamed = 0
        /// How long after a spike became visible the detector told it.
        package var delays: LatencyDistribution?
        /// How many each poller saw of the visible ones.
        package var pollers: [Poller] = []
        /// The first that were missed.
        package var missed: [Missed] = []

        /// What a poller saw.
        package struct Poller: Sendable, Codable, Hashable {
            /// How often it asks, such as `60s`.
            package var interval: String
            /// How many of the visible spikes it saw.
            package var caught: Int
        }

        /// A spike that was visible and not caught.
        package struct Missed: Sendable, Codable, Hashable {
            package var market: String
            package var side: String
            package var begin: Int64
            package var end: Int64
            package var peak: Double
            /// What was wrong with the exchange then.
            package var faults: [String]

            private enum CodingKeys: String, CodingKey {
                case market, side
                case begin = "begin_ms"
                case end = "end_ms"
                case peak, faults
            }
        }

        private enum CodingKeys: String, CodingKey {
            case reference
            case shortest = "shortest_s"
            case visible, caught, hidden, streamed, delays, pollers, missed
        }
    }

    /// A slope with its bounds.
    package struct Slope: Sendable, Codable, Hashable {
        package var slope: Double
        package var lower: Double
        package var upper: Double
        /// The line's value at the start.
        package var intercept: Double

        /// Of a trend in seconds, for an hour.
        init(_ trend: Trend) {
            self.slope = trend.slope * 3600
            self.lower = trend.lowerBound * 3600
            self.upper = trend.upperBound * 3600
            self.intercept = trend.intercept
        }

        private enum CodingKeys: String, CodingKey {
            case slope = "per_hour"
            case lower = "lower_per_hour"
            case upper = "upper_per_hour"
            case intercept
        }
    }

    /// Clocks and pauses.
    package struct Time: Sendable, Codable, Hashable {
        /// How long the machine slept, in seconds; nil where the system does not tell.
        package var slept: Double?
        /// How often the wall clock was stepped by half a second or more.
        package var steps = 0
        /// By how much together, in seconds.
        package var stepped = 0.0
        /// The longest time in which the program did not get to look, in seconds.
        package var longestPause = 0.0
        /// How often it did not get to look for over a second.
        package var pauses = 0

        private enum CodingKeys: String, CodingKey {
            case slept = "slept_s"
            case steps
            case stepped = "stepped_s"
            case longestPause = "longest_pause_s"
            case pauses
        }
    }

    /// What was planned to go wrong.
    package struct Faults: Sendable, Codable, Hashable {
        /// The seed of the exchange and its faults.
        package var seed: UInt64
        /// How many a minute were drawn; nil when they came from a plan.
        package var perMinute: Double?
        /// How many were planned, by kind.
        package var planned: [String: Int] = [:]
        /// How many hit somebody.
        package var begun = 0
        /// Connections that the exchange let in.
        package var accepted = 0
        /// Connections that it turned away.
        package var refused = 0

        private enum CodingKeys: String, CodingKey {
            case seed
            case perMinute = "per_minute"
            case planned, begun, accepted, refused
        }
    }
}
