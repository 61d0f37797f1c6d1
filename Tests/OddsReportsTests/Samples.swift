import OddsReports

/// A small generator, so that every sample is the same every time (SplitMix64).
struct SampleNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    mutating func unit() -> Double { Double(self.next() >> 11) / 9_007_199_254_740_992 }

    /// Around zero, about as wide as one.
    mutating func bell() -> Double { (0..<6).map { _ in self.unit() }.reduce(0, +) - 3 }
}

/// One document of each kind, with data as they come.
enum Samples {
    typealias Lines = ReportDocument.TimeLines
    typealias Band = ReportDocument.TimeLines.Band

    static var all: [ReportDocument] {
        [Samples.compare, Samples.replay, Samples.backtest, Samples.latency, Samples.soak]
    }

    /// 2026-11-22T13:45:00Z.
    static let begin: Int64 = 1_795_355_100_000

    /// Odds that wander, with leaps that come back, `count` values over `span` milliseconds.
    static func odds(_ count: Int, span: Int64, seed: UInt64, spikes: [(at: Double, length: Double)] = []) -> [Lines
        .Point]
    {
        var random = SampleNumbers(seed)
        var calm = 0.5
        return (0..<count).map { index in
            let place = Double(index) / Double(count)
            calm = min(0.66, max(0.3, calm + random.bell() * 0.003))
            let isSpike = spikes.contains { place >= $0.at && place < $0.at + $0.length }
            let value = isSpike ? 0.74 + random.unit() * 0.12 : calm
            return Lines.Point(Samples.begin + Int64(place * Double(span)), (value * 100).rounded() / 100)
        }
    }

    /// Counts of ranges that grow by a tenth each, as a histogram of latencies has them.
    static func buckets(around centre: Double, width: Double, count: Int, seed: UInt64) -> [ReportDocument.Distribution
        .Bucket]
    {
        var random = SampleNumbers(seed)
        var counts: [Int: Int] = [:]
        for _ in 0..<count {
            // Steps of a factor 1.1 around the centre, with a long tail to the right.
            let bell = random.bell()
            counts[Int((bell * width + (bell > 1.5 ? (bell - 1.5) * width * 2 : 0)).rounded()), default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.map { step, count in
            var bound = centre
            for _ in 0..<abs(step) { bound = step > 0 ? bound * 1.1 : bound / 1.1 }
            return .init(from: bound, until: bound * 1.1, count: count)
        }
    }

    static func marks(_ buckets: [ReportDocument.Distribution.Bucket]) -> [(name: String, value: Double)] {
        let all = buckets.map(\.count).reduce(0, +)
        let marks = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)].map { name, share in
            var sum = 0
            let bucket = buckets.first { bucket in
                sum += bucket.count
                return Double(sum) >= share * Double(all)
            }
            return (name: name, value: bucket?.until ?? 0)
        }
        return marks + [(name: "max", value: buckets.last?.until ?? 0)]
    }

    static var facts: [ReportDocument.Fact] {
        [
            .init("source", "simulated exchange, seed 7, 4 faults a minute"),
            .init("time", "2026-11-22 13:45:00 to 14:45:00 UTC (1 h)"), .init("program", "oddstream 0.1.0"),
            .init(
                "command", "oddstream compare --simulated --for 1h --seed 7 --faults-per-minute 4 --poll-every 60s,5s"),
            .init("machine", "Linux, 2 cores"),
        ]
    }

    static var compare: ReportDocument {
        let hour: Int64 = 3_600_000
        let spikes: [(at: Double, length: Double)] = [
            (0.08, 0.0007), (0.21, 0.004), (0.222, 0.0009), (0.4, 0.019), (0.63, 0.0012), (0.8, 0.006),
        ]
        var document = ReportDocument(
            kind: "compare", title: "Streamer against poller",
            lead:
                "One hour of btc-updown-5m in virtual time, with faults. The stream caught 211 of 212 spikes; the poller that asks once a minute caught 31."
        )
        document.verdicts = [
            .init(
                name: "spikes caught by the stream", demanded: "at least 99 %", measured: "99.5 % (211 of 212)",
                isMet: true, note: "Spikes of 100 ms or more, by displayed odds."),
            .init(
                name: "agreement at the poll instants", demanded: "100 % after alignment",
                measured: "99.86 % (719 of 720)", isMet: false,
                note: "One poll fell into an outage of both lines of 2.1 s."),
            .init(name: "delay of the catch, p99", demanded: "under 1 s", measured: "84 ms", isMet: true),
            .init(
                name: "odds paid for the delay", demanded: "less than the poller", measured: "cannot be told",
                isMet: nil, note: "The poller caught too few spikes for a fair mean."),
        ]
        document.figures = [
            .init("spikes on the website", "212", note: "over 70 %, shown at least 100 ms"),
            .init("caught by the stream", "211", note: "99.5 %", tone: .first),
            .init("caught every 60 s", "31", note: "14.6 %", tone: .second),
            .init("caught every 5 s", "118", note: "55.7 %", tone: .third),
            .init("median delay", "11 ms", note: "poller 60 s: 27.4 s", tone: .good),
            .init("ticks paid", "0.4", note: "poller 60 s: 3.1", tone: .neutral),
        ]
        let stream = Samples.odds(100_000, span: hour, seed: 3, spikes: spikes)
        func polled(_ step: Int64) -> [Lines.Point] {
            var next = Samples.begin
            return stream.filter { point in
                guard point.time >= next else { return false }
                next = point.time + step
                return true
            }
        }
        var odds = Lines(
            "btc-updown-5m-1795355100: displayed odds", axis: "odds of YES",
            lines: [
                .init("stream", tone: .first, style: .steps, points: stream),
                .init("poller 60 s", tone: .second, style: .steps, points: polled(60_000)),
                .init(
                    "poller 5 s", tone: .third, style: .points,
                    points: polled(60_000).map { .init($0.time + 5000, $0.value) }),
            ])
        odds.bands =
            spikes.map { spike in
                let from = Samples.begin + Int64(spike.at * Double(hour))
                return Band(from: from, until: from + Int64(spike.length * Double(hour)), label: "spike", tone: .good)
            } + [
                Band(
                    from: Samples.begin + 1_900_000, until: Samples.begin + 1_960_000, label: "both lines down",
                    tone: .bad),
                Band(
                    from: Samples.begin + 2_600_000, until: Samples.begin + 2_650_000, label: "suspect", tone: .warning),
            ]
        odds.levels = [.init(0.7, "threshold 0.70")]
        odds.range = 0...1
        let fast = Samples.buckets(around: 9, width: 5, count: 211, seed: 1)
        let slow = Samples.buckets(around: 27_000, width: 4, count: 31, seed: 2)
        let medium = Samples.buckets(around: 2400, width: 4, count: 118, seed: 5)
        var delays = ReportDocument.Distribution(
            "How late each caught them", axis: "delay, ms", isLogarithmic: true,
            groups: [
                .init("stream", tone: .first, buckets: fast, marks: Samples.marks(fast)),
                .init("poller 60 s", tone: .second, buckets: slow, marks: Samples.marks(slow)),
                .init("poller 5 s", tone: .third, buckets: medium, marks: Samples.marks(medium)),
            ])
        delays.limits = [.init(1000, "limit 1 s")]
        var random = SampleNumbers(9)
        let rows = (0..<212).map { index -> [String] in
            let side = random.unit() > 0.5 ? "Up" : "Down"
            let length = random.unit() * 9000 + 100
            let late = Int(random.unit() * 60 + 4)
            let isPolled = random.unit() < 0.146
            let clock = "\(13 + (index + 45) / 60 % 24):\(index % 60 < 10 ? "0" : "")\(index % 60):07.\(100 + late)"
            return [
                "btc-updown-5m-\(1_795_355_100 + index / 18 * 300)", side, clock, "\(Int(length)) ms",
                "0.\(71 + index % 20)",
                index == 77 ? "missed" : "\(late) ms", isPolled ? "\(Int(length / 300)) s" : "missed",
            ]
        }
        let table = ReportDocument.Table(
            "Every spike",
            columns: [
                .init("market"), .init("side"), .init("at", isNumber: true), .init("length", isNumber: true),
                .init("peak", isNumber: true), .init("stream", isNumber: true), .init("poller 60 s", isNumber: true),
            ], rows: rows)
        let disagreements = ReportDocument.Table(
            "Disagreements at the poll instants",
            columns: [
                .init("market"), .init("at", isNumber: true), .init("stream", isNumber: true),
                .init("poller", isNumber: true), .init("why"),
            ],
            rows: [
                [
                    "btc-updown-5m-1795356900", "14:16:42.118", "0.52", "0.55",
                    "Both lines were down from 14:16:40.9 to 14:16:43.0; the stream's odds were marked stale.",
                ]
            ])
        document.sections = [
            .init(
                "Odds of both sources",
                [
                    .chart(.timeLines(odds)),
                    .text(
                        "The market with the most spikes. Shaded spans are spikes as the website showed them; hatched ones are outages."
                    ),
                ]),
            .init("Delay", [.chart(.distribution(delays))]),
            .init("Spikes", [.table(table)]),
            .init(
                "Agreement",
                [
                    .table(disagreements),
                    .details(
                        title: "How agreement is measured",
                        [
                            .text(
                                "A poll's answer is compared with the stream's book at the moment the exchange wrote the answer, give or take 250 ms."
                            )
                        ]),
                ]),
        ]
        document.facts = Samples.facts
        return document
    }

    static var replay: ReportDocument {
        var document = ReportDocument(
            kind: "replay", title: "Replay of a recording",
            lead:
                "1,204,551 frames of 12 markets went through the pipeline in 2.1 s. The same input gives the same state hash every time."
        )
        document.figures = [
            .init("frames", "1,204,551"),
            .init("speed", "573,000 frames/s", note: "1,714 times as fast as it happened"),
            .init("spikes", "38"), .init("incidents", "3", tone: .warning), .init("trades", "24"),
            .init("damage", "none", tone: .good),
        ]
        let spikes: [(at: Double, length: Double)] = [(0.3, 0.01), (0.62, 0.02)]
        var odds = Lines(
            "btc-updown-15m-1795355100", axis: "odds",
            lines: [
                .init(
                    "YES", tone: .first, style: .steps,
                    points: Samples.odds(4000, span: 900_000, seed: 21, spikes: spikes)),
                .init(
                    "trades", tone: .fourth, style: .points,
                    points: [.init(Samples.begin + 275_000, 0.78), .init(Samples.begin + 561_000, 0.8)]),
            ])
        odds.bands = [
            Band(from: Samples.begin + 270_000, until: Samples.begin + 279_000, label: "spike", tone: .good),
            Band(from: Samples.begin + 558_000, until: Samples.begin + 576_000, label: "spike", tone: .good),
            Band(from: Samples.begin + 700_000, until: Samples.begin + 704_000, label: "line lost", tone: .bad),
        ]
        odds.levels = [.init(0.7, "threshold 0.70")]
        document.sections = [
            .init("Odds", [.chart(.timeLines(odds))]),
            .init(
                "Incidents",
                [
                    .table(
                        .init(
                            "",
                            columns: [
                                .init("what"), .init("from", isNumber: true), .init("for", isNumber: true),
                                .init("cause"),
                            ],
                            rows: [
                                ["line lost", "13:56:40.000", "4.0 s", "closed by the exchange (1006)"],
                                ["suspect", "13:58:02.411", "310 ms", "best bid disagrees"],
                                ["line lost", "13:59:31.020", "1.2 s", "no PONG in 5 s"],
                            ]))
                ]),
            .init(
                "Damage",
                [
                    .table(
                        .init(
                            "", columns: [.init("file"), .init("why")], rows: [],
                            whenEmpty: "None: every block of every file was readable."))
                ]),
        ]
        document.facts = [
            .init("recording", "/var/lib/oddstream/recordings/2026-11-22"),
            .init("state hash", "b1946ac92492d2347c6235b4d2611184a2c8e4df6f1c5d1f1f3e1f1cbb0a9f10"),
            .init("program", "oddstream 0.1.0"),
        ]
        return document
    }

    static var backtest: ReportDocument {
        var document = ReportDocument(
            kind: "backtest", title: "Buy the spike, hold to the end",
            lead:
                "31 hours of recordings, 124 windows, 9 parameter sets. The best in-sample set lost money out of sample."
        )
        document.verdicts = [
            .init(
                name: "profit out of sample", demanded: "above zero with 95 % confidence",
                measured: "−12.40 $ (−38.1 to +13.3)", isMet: false),
            .init(
                name: "enough trades", demanded: "at least 100 out of sample", measured: "41", isMet: nil,
                note: "The sample is too small to tell skill from luck."),
        ]
        document.figures = [
            .init("profit", "−12.40 $", note: "out of sample, fees paid", tone: .bad), .init("trades", "41"),
            .init("hit rate", "53.7 %"), .init("largest drawdown", "61.20 $", tone: .warning), .init("fees", "9.91 $"),
        ]
        var random = SampleNumbers(4)
        func curve(_ drift: Double) -> [Lines.Point] {
            var cash = 1000.0
            return (0..<220).map { index in
                cash += random.bell() * 6 + drift
                return Lines.Point(Samples.begin + Int64(index) * 510_000, (cash * 100).rounded() / 100)
            }
        }
        let market = curve(0.25)
        var equity = Lines(
            "Equity", axis: "dollars",
            lines: [
                .init("at the bid", tone: .first, style: .line, points: market),
                .init(
                    "at cost", tone: .second, style: .steps,
                    points: market.enumerated().filter { $0.offset % 9 == 0 }.map(\.element)),
                .init("all 9 sets, mean", tone: .third, style: .line, points: curve(-0.1)),
            ])
        equity.levels = [.init(1000, "begin 1,000 $")]
        equity.bands = [
            Band(
                from: Samples.begin + 154 * 510_000, until: Samples.begin + 219 * 510_000, label: "out of sample",
                tone: .neutral)
        ]
        let returns = (-12...14).map { (step: Int) -> ReportDocument.Distribution.Bucket in
            let count = 14 - abs(step) * (step < 0 ? 2 : 1)
            return .init(from: Double(step) * 5, until: Double(step + 1) * 5, count: max(0, count))
        }
        let profit = ReportDocument.Distribution(
            "Profit per trade", axis: "dollars", isLogarithmic: false,
            groups: [
                .init("best set", tone: .first, buckets: returns, marks: [("p10", -18), ("p50", 4.5), ("p90", 41)])
            ])
        let rows = (0..<9).map { index in
            [
                "\(70 + index % 3 * 5) %", "\(index / 3 + 1) s", "\(40 + index * 3)", "\(index * 7 - 31).\(index)0 $",
                "\(48 + index).2 %", "\(90 - index * 4).00 $",
            ]
        }
        document.sections = [
            .init("Equity", [.chart(.timeLines(equity))]),
            .init(
                "Parameter sets",
                [
                    .text("Choosing the best of nine overfits: its out-of-sample profit is what counts."),
                    .table(
                        .init(
                            "",
                            columns: [
                                .init("threshold"), .init("sustain"), .init("trades", isNumber: true),
                                .init("profit", isNumber: true), .init("hit rate", isNumber: true),
                                .init("drawdown", isNumber: true),
                            ], rows: rows)),
                ]),
            .init("Profit per trade", [.chart(.distribution(profit))]),
        ]
        document.facts = Samples.facts
        return document
    }

    static var latency: ReportDocument {
        var document = ReportDocument(
            kind: "latency", title: "From the exchange to a decision",
            lead:
                "60 s of the live market. 99 of 100 updates were readable 41 ms after the exchange stamped them; we add 38 µs of it."
        )
        document.verdicts = [
            .init(
                name: "exchange to readable, p99", demanded: "under 1 s", measured: "41 ms ± 3 ms", isMet: true,
                note: "The clock offset was estimated at −12.4 ms and taken off.")
        ]
        let wire = Samples.buckets(around: 14, width: 6, count: 40_000, seed: 11)
        let ours = Samples.buckets(around: 0.02, width: 4, count: 40_000, seed: 12)
        let decision = Samples.buckets(around: 0.006, width: 5, count: 900, seed: 13)
        var stages = ReportDocument.Distribution(
            "Stages", axis: "milliseconds", isLogarithmic: true,
            groups: [
                .init("exchange stamp to receive", tone: .first, buckets: wire, marks: Samples.marks(wire)),
                .init("receive to odds readable", tone: .second, buckets: ours, marks: Samples.marks(ours)),
                .init("readable to decision", tone: .third, buckets: decision, marks: Samples.marks(decision)),
            ])
        stages.limits = [.init(1000, "demanded 1 s")]
        var random = SampleNumbers(8)
        let over = Lines(
            "Over time", axis: "milliseconds, p99 of each second",
            lines: [
                .init(
                    "exchange to readable", tone: .first, style: .line,
                    points: (0...60).map {
                        .init(
                            Samples.begin + $0 * 1000,
                            $0 == 31 || $0 == 32 ? nil : 30 + random.bell() * 5 + ($0 == 44 ? 60 : 0))
                    })
            ])
        let rows = ["exchange stamp to receive", "receive to odds readable", "readable to decision"].enumerated().map {
            index, name in
            [name, "40,000"]
                + Samples.marks([wire, ours, decision][index]).map { "\(($0.value * 1000).rounded() / 1000)" }
        }
        document.figures = [
            .init("p50", "14 ms"), .init("p99", "41 ms", tone: .good),
            .init("clock offset", "−12.4 ms", note: "minimum of 60 answers, ± 3 ms"), .init("updates", "40,000"),
        ]
        document.sections = [
            .init(
                "Stages",
                [
                    .chart(.distribution(stages)),
                    .table(
                        .init(
                            "Percentiles, milliseconds",
                            columns: [
                                .init("stage"), .init("values", isNumber: true), .init("p50", isNumber: true),
                                .init("p90", isNumber: true), .init("p99", isNumber: true),
                                .init("p99.9", isNumber: true), .init("max", isNumber: true),
                            ], rows: rows)),
                ]),
            .init("Over time", [.chart(.timeLines(over))]),
        ]
        document.facts = Samples.facts
        return document
    }

    static var soak: ReportDocument {
        let day: Int64 = 86_400_000
        var document = ReportDocument(
            kind: "soak", title: "Two days without a break",
            lead: "48 h 0 min with 2 faults a minute. Uptime 99.97 %, 5,760 recoveries, no growth of memory.")
        document.verdicts = [
            .init(name: "latency", demanded: "under 1 s", measured: "84 ms at p99", isMet: true),
            .init(name: "spikes caught", demanded: "at least 90 %", measured: "99.1 %", isMet: true),
            .init(name: "uptime", demanded: "at least 99.9 %", measured: "99.97 %", isMet: true),
            .init(name: "back after a fault", demanded: "within 10 s", measured: "3.8 s at most", isMet: true),
        ]
        document.figures = [
            .init("uptime", "99.97 %", note: "down 52 s in all", tone: .good), .init("recoveries", "5,760"),
            .init("memory", "+0.02 MB/h", note: "95 %: −0.03 to +0.06", tone: .good), .init("descriptors", "±0"),
        ]
        var random = SampleNumbers(6)
        var spans: [Band] = []
        var time = Samples.begin
        while time < Samples.begin + 2 * day {
            let up = Int64(20_000 + random.unit() * 60_000)
            spans.append(Band(from: time, until: time + up, label: "live", tone: .good))
            let kind = random.unit()
            let down = Int64(200 + random.unit() * 3000)
            spans.append(
                Band(
                    from: time + up, until: time + up + down, label: kind < 0.02 ? "down" : "fallback",
                    tone: kind < 0.02 ? .bad : .warning))
            time += up + down
        }
        let calm = (0..<48).map {
            Band(
                from: Samples.begin + Int64($0) * 3_600_000,
                until: Samples.begin + Int64($0) * 3_600_000 + ($0 == 20 ? 3_000_000 : 3_600_000), label: "open",
                tone: .good)
        }
        let strip = ReportDocument.Strip(
            "Uptime",
            rows: [
                .init("odds", spans: spans), .init("line 0", spans: calm),
                .init("line 1", spans: Array(calm.dropLast(3))),
            ])
        var memory = Lines(
            "Memory", axis: "resident, MB",
            lines: [
                .init(
                    "measured", tone: .first, style: .line,
                    points: (0..<2880).map { .init(Samples.begin + $0 * 60_000, 38 + random.bell() * 0.4) }),
                .init(
                    "fitted slope", tone: .second, style: .line,
                    points: [.init(Samples.begin, 37.9), .init(Samples.begin + 2 * day, 38.6)]),
            ])
        memory.levels = [.init(400, "limit 400 MB")]
        let recoveries = Samples.buckets(around: 400, width: 5, count: 5760, seed: 14)
        var back = ReportDocument.Distribution(
            "Time to recover", axis: "milliseconds", isLogarithmic: true,
            groups: [.init("all faults", tone: .first, buckets: recoveries, marks: Samples.marks(recoveries))])
        back.limits = [.init(10_000, "demanded 10 s")]
        document.sections = [
            .init("Uptime", [.chart(.strip(strip))]), .init("Memory", [.chart(.timeLines(memory))]),
            .init(
                "Recoveries",
                [
                    .chart(.distribution(back)),
                    .table(
                        .init(
                            "Incidents by kind",
                            columns: [.init("kind"), .init("times", isNumber: true), .init("longest", isNumber: true)],
                            rows: [
                                ["line lost", "2,811", "3.8 s"], ["frozen", "1,402", "2.4 s"],
                                ["suspect", "1,547", "900 ms"],
                            ])),
                ]),
        ]
        document.facts = Samples.facts
        return document
    }
}
