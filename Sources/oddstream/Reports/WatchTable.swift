import OddsCore

/// What the terminal view shows at one moment.
struct WatchFrame {
    /// One market and its odds, if any have come.
    struct Row {
        let status: MarketStatus
        let snapshot: OddsSnapshot?
    }

    let now: ReceiveTime
    let title: String
    /// Where the API answers; nil when there is none.
    let url: String?
    let status: StreamStatus
    let messagesPerSecond: Double
    let rows: [Row]
    /// Lines under the markets, such as the account.
    var notes: [String] = []
    /// The last events, oldest first: the time and the sentence.
    let events: [String]
    /// The last log lines, oldest first.
    let log: [String]
}

/// Draws the view as lines of text: a pure function of the frame and the size.
///
/// Each market takes two lines, one per side. Columns that do not fit are left out, the least telling first.
struct WatchTable {
    let width: Int
    let height: Int
    let style: TextStyle
    /// Odds from which a side stands out.
    var threshold: Odds = 0.70

    private enum Column: Int, CaseIterable {
        case market, left, side, odds, bid, ask, spread, last, trust, age

        var title: String {
            switch self {
            case .market: "MARKET"
            case .left: "LEFT"
            case .side: "SIDE"
            case .odds: "ODDS "
            case .bid: "BID"
            case .ask: "ASK"
            case .spread: "SPREAD"
            case .last: "LAST"
            case .trust: "TRUST"
            case .age: "AGE"
            }
        }

        var isNumber: Bool {
            switch self {
            case .market, .side, .trust: false
            case .left, .odds, .bid, .ask, .spread, .last, .age: true
            }
        }
    }

    /// What is left out first when the terminal is narrow.
    private static let expendable: [Column] = [.last, .spread, .age, .left, .trust, .ask, .bid]
    /// The market column gives up letters down to this before it costs a column; its second line fits in it.
    private static let leastMarketWidth = 20
    /// Below this the market column says nothing any more.
    private static let smallestMarketWidth = 4
    /// Spaces between columns: a narrow terminal gets one more column instead of air.
    private var gap: Int { self.width >= 100 ? 2 : 1 }

    private struct Cell {
        let text: String
        var rendition: String?

        init(_ text: String, _ rendition: String? = nil) {
            self.text = text
            self.rendition = rendition
        }
    }

    private struct Line {
        let cells: [Column: Cell]
        /// The rendition of the whole line; the cells' own give way to it.
        let rendition: String?
    }

    /// The view's lines, none wider than the terminal and not more than it has.
    func lines(_ frame: WatchFrame) -> [String] {
        var top = [self.headline(frame)] + self.lineStates(frame) + [""]
        let problems = frame.status.allProblems.map { self.plain($0, "33") }
        top += problems.isEmpty ? [] : problems + [""]
        var bottom: [String] = []
        if !frame.notes.isEmpty { bottom += [""] + frame.notes.map { self.plain($0, nil) } }
        if !frame.events.isEmpty { bottom += [""] + frame.events.suffix(6).map { self.plain($0, nil) } }
        if !frame.log.isEmpty { bottom += [""] + frame.log.suffix(3).map { self.plain($0, "2") } }
        bottom += ["", self.plain("Ctrl-C ends.", "2")]
        let space = self.height - top.count - bottom.count
        var lines = top + self.table(frame, height: max(3, space)) + bottom
        if lines.count > self.height { lines = Array(lines.prefix(self.height)) }
        return lines
    }

    private func headline(_ frame: WatchFrame) -> String {
        let time = ClockText.seconds(frame.now.wall) + " UTC"
        let rate = "\(DurationText.oneDecimal(frame.messagesPerSecond)) messages/s"
        let parts = [frame.title, time, rate] + (frame.url.map { [$0] } ?? [])
        return self.plain(parts.joined(separator: "   "), "1")
    }

    private func lineStates(_ frame: WatchFrame) -> [String] {
        guard !frame.status.lines.isEmpty else { return [self.plain(frame.status.withoutLines, "2")] }
        return frame.status.lines.map { line in
            var parts = ["line \(line.line)" + (line.connection > 0 ? ".\(line.connection)" : ""), line.state]
            parts.append("\(line.assets) tokens")
            if let age = line.dataAge { parts.append("data \(DurationText.age(age)) ago") }
            if line.disconnects > 0 { parts.append("\(line.disconnects) disconnects") }
            if line.state != "live", let error = line.lastError { parts.append(error) }
            return self.plain(parts.joined(separator: "   "), line.state == "live" ? "32" : "33")
        }
    }

    private func table(_ frame: WatchFrame, height: Int) -> [String] {
        guard !frame.rows.isEmpty else { return [self.plain("No market yet.", "2")] }
        let fitting = max(1, (height - 2) / 2)
        let shown = frame.rows.count <= fitting ? frame.rows[...] : frame.rows.prefix(max(1, (height - 3) / 2))
        let lines = shown.flatMap { self.lines(of: $0, now: frame.now) }
        let (columns, widths) = self.layout(lines)
        var drawn = [self.plain(self.join(columns.map { self.fit($0.title, $0, widths) }), "1;4")]
        drawn += lines.map { line in
            let cells = columns.map { column -> String in
                let cell = line.cells[column] ?? Cell("")
                let text = self.fit(cell.text, column, widths)
                return line.rendition == nil ? self.style.dressed(text, cell.rendition) : text
            }
            let text = self.join(cells)
            // Narrower than the least columns: what is left is cut as it stands.
            if widths[.market] == WatchTable.smallestMarketWidth {
                return self.plain(self.join(columns.map { self.fit(line.cells[$0]?.text ?? "", $0, widths) }), nil)
            }
            return line.rendition == nil ? text : self.style.dressed(text, line.rendition)
        }
        if shown.count < frame.rows.count {
            drawn.append(self.plain("\(frame.rows.count - shown.count) more markets do not fit.", "2"))
        }
        return drawn
    }

    private func lines(of row: WatchFrame.Row, now: ReceiveTime) -> [Line] {
        let market = row.status.market
        let isPast = row.status.role == .past || row.status.winner != nil
        return Side.allCases.map { side in
            var cells = self.quoteCells(row.snapshot?.quote(side), isWinner: row.status.winner == side)
            cells[.side] = Cell(self.style.cut(OddsText.label(side, of: market), to: 8))
            switch side {
            case .yes:
                cells[.market] = Cell(OddsText.name(market))
                cells[.left] = Cell(OddsText.timeLeft(market, now: now.wall))
                cells[.trust] = Cell(
                    row.snapshot?.trust.name ?? (isPast ? "over" : "no odds"), self.rendition(row.snapshot?.trust))
                cells[.age] = Cell(row.snapshot.map { DurationText.age($0.age(at: now.monotonic)) } ?? "-")
            case .no:
                let window = OddsText.window(market, style: self.style)
                let place = row.status.role == .fixed ? "" : row.status.role.rawValue
                cells[.market] = Cell([place, window].filter { !$0.isEmpty }.joined(separator: " "), "2")
                cells[.trust] = Cell(row.snapshot?.trust.reason ?? "", self.rendition(row.snapshot?.trust))
            }
            let odds = row.snapshot?.odds(side)
            let standsOut = odds.map { $0 >= self.threshold } == true && !isPast
            return Line(cells: cells, rendition: standsOut ? "1;30;42" : isPast ? "2" : nil)
        }
    }

    private func quoteCells(_ quote: Quote?, isWinner: Bool) -> [Column: Cell] {
        guard let quote else {
            return [.odds: Cell(isWinner ? "won*" : "- "), .bid: Cell("-"), .ask: Cell("-"), .spread: Cell("-")]
        }
        let displayed = quote.displayed
        let isOver = displayed.map { $0 >= self.threshold } == true
        let mark = isWinner ? "*" : isOver ? self.style.mark : " "
        return [
            .odds: Cell(OddsText.percent(displayed) + mark, "1"),
            .bid: Cell(OddsText.price(quote.bid)), .ask: Cell(OddsText.price(quote.ask)),
            .spread: Cell(OddsText.spread(quote)), .last: Cell(OddsText.price(quote.lastTrade)),
        ]
    }

    private func rendition(_ trust: Trust?) -> String {
        switch trust {
        case .live: "32"
        case .suspect, .fallback: "33"
        case .stale: "31"
        case .resolving: "36"
        case .closed, nil: "2"
        }
    }

    /// The columns that fit and their widths: as wide as what is in them, the market column with the rest.
    private func layout(_ lines: [Line]) -> ([Column], [Column: Int]) {
        var widths: [Column: Int] = [:]
        for column in Column.allCases {
            let widest = lines.map { $0.cells[column]?.text.count ?? 0 }.max() ?? 0
            widths[column] = max(column.title.count, widest)
        }
        // Columns that jump from second to second are hard to read: these keep room for what comes.
        for (column, least) in [(Column.left, 7), (.odds, 7), (.bid, 5), (.ask, 5), (.trust, 9), (.age, 6)] {
            widths[column] = max(widths[column] ?? 0, least)
        }
        var columns = Column.allCases
        let wanted = widths[.market] ?? 0
        var room = self.roomForMarket(columns, widths)
        for column in WatchTable.expendable where room < min(wanted, WatchTable.leastMarketWidth) {
            columns.removeAll { $0 == column }
            room = self.roomForMarket(columns, widths)
        }
        widths[.market] = max(WatchTable.smallestMarketWidth, min(wanted, room))
        return (columns, widths)
    }

    private func roomForMarket(_ columns: [Column], _ widths: [Column: Int]) -> Int {
        let others = columns.filter { $0 != .market }.map { widths[$0] ?? 0 }.reduce(0, +)
        return self.width - others - (columns.count - 1) * self.gap
    }

    private func fit(_ text: String, _ column: Column, _ widths: [Column: Int]) -> String {
        let width = widths[column] ?? 0
        let cut = self.style.cut(text, to: width, keepingEnd: column == .market)
        return column.isNumber ? cut.rightAligned(to: width) : cut.padded(to: width)
    }

    private func join(_ cells: [String]) -> String {
        cells.joined(separator: String(repeating: " ", count: self.gap))
    }

    private func plain(_ text: String, _ rendition: String?) -> String {
        self.style.dressed(self.style.cut(text, to: self.width), rendition)
    }
}
