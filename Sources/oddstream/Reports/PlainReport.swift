import OddsCore

/// The view for pipes and files: events as they are seen, a line per market every few seconds.
struct PlainReport {
    private let log: EventLog
    private let style: TextStyle

    init(style: TextStyle) {
        self.style = style
        self.log = EventLog(style: style)
    }

    /// The lines an update is worth; most are worth none.
    func lines(for update: OddsUpdate, at now: Timestamp) -> [String] {
        self.log.events(in: update).map { PlainReport.line(now, $0.word, $0.text) }
    }

    /// One line per current market, and one that says how the lines fare.
    func summary(_ rows: [WatchFrame.Row], status: StreamStatus, messagesPerSecond: Double, now: ReceiveTime)
        -> [String]
    {
        let markets = rows.filter { $0.status.role == .current || $0.status.role == .fixed }.map { row in
            PlainReport.line(now.wall, "odds", self.odds(row, now: now))
        }
        let lines = status.lines.map { line in
            let why = line.state == "live" ? nil : line.lastError
            return "line \(line.line) \(line.state)" + (why.map { " (\($0))" } ?? "")
        }
        let rate = "\(DurationText.oneDecimal(messagesPerSecond)) messages/s"
        let text = (lines.isEmpty ? [status.withoutLines] : lines) + [rate] + status.allProblems
        return markets + [PlainReport.line(now.wall, "feed", text.joined(separator: ", "))]
    }

    private func odds(_ row: WatchFrame.Row, now: ReceiveTime) -> String {
        let market = row.status.market
        guard let snapshot = row.snapshot else { return "\(OddsText.name(market)): no odds yet" }
        let sides = Side.allCases.map { side in
            let quote = snapshot.quote(side)
            let label = OddsText.label(side, of: market)
            return
                "\(label) \(OddsText.percent(quote.displayed)) (\(OddsText.price(quote.bid))/\(OddsText.price(quote.ask)))"
        }
        let left = OddsText.timeLeft(market, now: now.wall)
        let tail = [left.isEmpty ? "" : "left \(left)", OddsText.trust(snapshot.trust)].filter { !$0.isEmpty }
        return "\(OddsText.name(market)): \(sides.joined(separator: ", ")), \(tail.joined(separator: ", "))"
    }

    static func line(_ time: Timestamp, _ word: String, _ text: String) -> String {
        "\(ClockText.milliseconds(time))  \(word.padded(to: 9))  \(text)"
    }
}
