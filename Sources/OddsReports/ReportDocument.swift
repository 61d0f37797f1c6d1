/// A report, before anybody decides what it looks like: what a person reads in a minute, from top to bottom.
///
/// Every command that proves something makes one of these beside its own JSON, and the renderers know nothing else.
public struct ReportDocument: Sendable {
    /// What kind of report: `compare`, `replay`, `backtest`, `latency`, `soak`.
    public var kind: String
    /// The headline, such as `Streamer against poller`.
    public var title: String
    /// One or two sentences: what was measured, on what, and what came out.
    public var lead: String
    /// What the specification or the user demanded, and whether it was met.
    public var verdicts: [Verdict] = []
    /// The few numbers to remember.
    public var figures: [Figure] = []
    /// The rest, the most interesting first.
    public var sections: [Section] = []
    /// How it was made: source, time, version, machine, command.
    public var facts: [Fact] = []

    /// A report without content.
    public init(kind: String, title: String, lead: String) {
        self.kind = kind
        self.title = title
        self.lead = lead
    }

    /// Something that was demanded.
    public struct Verdict: Sendable, Hashable, Codable {
        /// What is measured, such as `uptime`.
        public var name: String
        /// What was demanded, such as `at least 99.9 %`.
        public var demanded: String
        /// What came out, with its unit.
        public var measured: String
        /// Whether it was met; nil when it cannot be told.
        public var isMet: Bool?
        /// Why it cannot be told, or what the number rests on; empty when nothing needs saying.
        public var note: String

        /// A verdict from its parts.
        public init(name: String, demanded: String, measured: String, isMet: Bool?, note: String = "") {
            self.name = name
            self.demanded = demanded
            self.measured = measured
            self.isMet = isMet
            self.note = note
        }

        private enum CodingKeys: String, CodingKey {
            case name, demanded, measured, note
            case isMet = "met"
        }
    }

    /// A number to remember.
    public struct Figure: Sendable, Hashable {
        /// What it counts or measures.
        public var name: String
        /// With its unit.
        public var value: String
        /// A few words on it; empty when none are needed.
        public var note: String
        /// Whether it is good or bad news.
        public var tone: Tone

        /// A figure from its parts.
        public init(_ name: String, _ value: String, note: String = "", tone: Tone = .neutral) {
            self.name = name
            self.value = value
            self.note = note
            self.tone = tone
        }
    }

    /// A fact about the run.
    public struct Fact: Sendable, Hashable {
        /// What it is about, such as `command`.
        public var name: String
        /// What is the case.
        public var value: String

        /// A fact from its parts.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A part of the report under a headline.
    public struct Section: Sendable {
        /// Its headline.
        public var title: String
        /// What is under it, from top to bottom.
        public var blocks: [Block]

        /// A section from its parts.
        public init(_ title: String, _ blocks: [Block]) {
            self.title = title
            self.blocks = blocks
        }
    }

    /// What a section is made of.
    public enum Block: Sendable {
        /// A paragraph.
        case text(String)
        /// A table; long ones are folded.
        case table(Table)
        /// A plot.
        case chart(Chart)
        /// More, which is folded away at first.
        case details(title: String, [Block])
    }

    /// A table.
    public struct Table: Sendable {
        /// A column; numbers are set to the right.
        public struct Column: Sendable, Hashable {
            /// Its head.
            public var name: String
            /// Whether its cells are numbers.
            public var isNumber: Bool

            /// A column from its parts.
            public init(_ name: String, isNumber: Bool = false) {
                self.name = name
                self.isNumber = isNumber
            }
        }

        /// What it shows; empty when the headline above says it.
        public var caption: String
        /// Its columns, from left to right.
        public var columns: [Column]
        /// One text for each column.
        public var rows: [[String]]
        /// What is said in place of no rows.
        public var whenEmpty: String

        /// A table from its parts.
        public init(_ caption: String = "", columns: [Column], rows: [[String]], whenEmpty: String = "None.") {
            self.caption = caption
            self.columns = columns
            self.rows = rows
            self.whenEmpty = whenEmpty
        }
    }

    /// What a colour says; told by shape or word as well.
    public enum Tone: String, Sendable, Hashable, Codable, CaseIterable {
        /// No judgement, good news, something to look at, bad news.
        case neutral, good, warning, bad
        /// The first, second … source of a comparison.
        case first, second, third, fourth
    }

    /// A plot.
    public enum Chart: Sendable {
        /// Values over time.
        case timeLines(TimeLines)
        /// How values are distributed.
        case distribution(Distribution)
        /// States over time.
        case strip(Strip)
    }

    /// Values over time.
    public struct TimeLines: Sendable {
        /// One source's values.
        public struct Line: Sendable {
            /// How values are joined.
            public enum Style: Sendable {
                /// A value holds until the next one.
                case steps
                /// Values are measured now and then.
                case line
                /// Values stand for themselves.
                case points
            }

            /// The source's name.
            public var name: String
            /// Its colour.
            public var tone: Tone
            /// How its values are joined.
            public var style: Style
            /// Unix milliseconds and value; nil where there is none from here on.
            public var points: [Point]

            /// A line from its parts.
            public init(_ name: String, tone: Tone, style: Style, points: [Point]) {
                self.name = name
                self.tone = tone
                self.style = style
                self.points = points
            }
        }

        /// A value at a time.
        public struct Point: Sendable, Hashable {
            /// Unix milliseconds.
            public var time: Int64
            /// In the unit of the plot; nil when there is none from here on.
            public var value: Double?

            /// A point from Unix milliseconds and value.
            public init(_ time: Int64, _ value: Double?) {
                self.time = time
                self.value = value
            }
        }

        /// A span of time that is set off, such as an outage, a spike or a window.
        public struct Band: Sendable, Hashable {
            /// Its begin, in Unix milliseconds.
            public var from: Int64
            /// Its end, in Unix milliseconds.
            public var until: Int64
            /// What it is, such as `outage`.
            public var label: String
            /// Its colour.
            public var tone: Tone

            /// A band from its parts; times are Unix milliseconds.
            public init(from: Int64, until: Int64, label: String, tone: Tone) {
                self.from = from
                self.until = until
                self.label = label
                self.tone = tone
            }
        }

        /// A level that is drawn across, such as a threshold.
        public struct Level: Sendable, Hashable {
            /// In the unit of the plot.
            public var value: Double
            /// What it is, such as `limit`.
            public var label: String

            /// A level from its parts.
            public init(_ value: Double, _ label: String) {
                self.value = value
                self.label = label
            }
        }

        /// Its headline.
        public var title: String
        /// What the values are, with their unit.
        public var axis: String
        /// The sources.
        public var lines: [Line]
        /// Spans that are set off.
        public var bands: [Band] = []
        /// Levels that are drawn across.
        public var levels: [Level] = []
        /// The range of values to show at least; nil for that of the values.
        public var range: ClosedRange<Double>?

        /// A plot from its parts.
        public init(_ title: String, axis: String, lines: [Line]) {
            self.title = title
            self.axis = axis
            self.lines = lines
        }
    }

    /// How values are distributed.
    public struct Distribution: Sendable {
        /// How often values fell into a range.
        public struct Bucket: Sendable, Hashable {
            /// Its lower bound, in the unit of the plot.
            public var from: Double
            /// Its upper bound, in the unit of the plot; values lie below it.
            public var until: Double
            /// How many values fell into it.
            public var count: Int

            /// A bucket from its parts.
            public init(from: Double, until: Double, count: Int) {
                self.from = from
                self.until = until
                self.count = count
            }
        }

        /// One source's values.
        public struct Group: Sendable {
            /// The source's name.
            public var name: String
            /// Its colour.
            public var tone: Tone
            /// In rising order; what none covers did not occur.
            public var buckets: [Bucket]
            /// Named values, such as `p99`.
            public var marks: [(name: String, value: Double)]

            /// A group from its parts.
            public init(_ name: String, tone: Tone, buckets: [Bucket], marks: [(name: String, value: Double)] = []) {
                self.name = name
                self.tone = tone
                self.buckets = buckets
                self.marks = marks
            }
        }

        /// Its headline.
        public var title: String
        /// What the values are, with their unit.
        public var axis: String
        /// Whether the axis of values is logarithmic.
        public var isLogarithmic: Bool
        /// The sources, on one axis.
        public var groups: [Group]
        /// Values that are drawn across, such as a limit.
        public var limits: [TimeLines.Level] = []

        /// A plot from its parts.
        public init(_ title: String, axis: String, isLogarithmic: Bool, groups: [Group]) {
            self.title = title
            self.axis = axis
            self.isLogarithmic = isLogarithmic
            self.groups = groups
        }
    }

    /// What state something was in, over time: the uptime strip.
    public struct Strip: Sendable {
        /// One thing's states.
        public struct Row: Sendable {
            /// What was in these states.
            public var name: String
            /// The states, each for a span of time.
            public var spans: [TimeLines.Band]

            /// A row from its parts; what no span covers is not known.
            public init(_ name: String, spans: [TimeLines.Band]) {
                self.name = name
                self.spans = spans
            }
        }

        /// Its headline.
        public var title: String
        /// The things, on one axis of time.
        public var rows: [Row]

        /// A strip from its parts.
        public init(_ title: String, rows: [Row]) {
            self.title = title
            self.rows = rows
        }
    }
}
