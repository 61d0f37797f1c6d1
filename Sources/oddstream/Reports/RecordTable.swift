import OddsCore

/// A table of records for a terminal: columns are as wide as what is in them; those that do not fit are left out, the
/// least telling first.
struct RecordTable {
    /// One column.
    struct Column<Row> {
        let title: String
        var isNumber = false
        /// The lower, the earlier the column goes when there is no room; nil for one that stays.
        var worth: Int?
        /// Whether long text keeps its end, which tells identifiers apart.
        var keepsEnd = false
        let text: (Row) -> String
    }

    let width: Int
    let style: TextStyle

    /// What stands between two columns.
    private static let gap = 2
    /// No column is cut below this.
    private static let least = 12

    /// The lines of the table, its title first.
    func lines<Row>(_ rows: [Row], _ columns: [Column<Row>]) -> [String] {
        var cells = columns.map { column in (column: column, texts: [column.title] + rows.map(column.text)) }
        // A column in which nothing is said says nothing.
        cells.removeAll { !rows.isEmpty && $0.column.worth != nil && $0.texts.dropFirst().allSatisfy { $0.isEmpty } }
        func width(_ cell: (column: Column<Row>, texts: [String])) -> Int { cell.texts.map(\.count).max() ?? 0 }
        func total() -> Int { cells.map { width($0) + RecordTable.gap }.reduce(-RecordTable.gap, +) }
        while total() > self.width,
            let first = cells.indices.filter({ cells[$0].column.worth != nil })
                .min(by: { cells[$0].column.worth ?? 0 < cells[$1].column.worth ?? 0 })
        {
            cells.remove(at: first)
        }
        while total() > self.width,
            let widest = cells.indices.filter({ !cells[$0].column.isNumber }).max(by: {
                width(cells[$0]) < width(cells[$1])
            }),
            width(cells[widest]) > RecordTable.least
        {
            let room = max(RecordTable.least, width(cells[widest]) - (total() - self.width))
            let keepsEnd = cells[widest].column.keepsEnd
            cells[widest].texts = cells[widest].texts.map { self.style.cut($0, to: room, keepingEnd: keepsEnd) }
        }
        let widths = cells.map(width)
        return (0...rows.count).map { row in
            let line = zip(cells, widths).map { cell, width in
                cell.column.isNumber ? cell.texts[row].rightAligned(to: width) : cell.texts[row].padded(to: width)
            }.joined(separator: String(repeating: " ", count: RecordTable.gap))
            let end = line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex
            return row == 0 ? self.style.dressed(String(line[..<end]), "1") : String(line[..<end])
        }
    }
}

/// Values of records in the words of the terminal; absent ones are empty.
enum RecordText {
    /// `11-22 14:55:01`, in UTC.
    static func time(_ time: Timestamp?) -> String {
        guard let time else { return "" }
        let date = time.iso8601.prefix(10).suffix(5)
        return "\(date) \(ClockText.seconds(time))"
    }

    /// `11-22 14:55:01.123`, in UTC.
    static func moment(_ nanoseconds: Int64) -> String {
        let time = Timestamp(milliseconds: nanoseconds.flooredQuotient(1_000_000))
        return "\(time.iso8601.prefix(10).suffix(5)) \(ClockText.milliseconds(time))"
    }

    /// `0.71`, `0.715`: at least two decimals and at most four.
    static func price(_ value: Double?) -> String { self.decimal(value, most: 4) }

    /// `12.50`: dollars and cents.
    static func money(_ value: Double?) -> String { self.decimal(value, most: 2) }

    /// `+12.50`, `-3.20`.
    static func signedMoney(_ value: Double?) -> String {
        guard let value else { return "" }
        return (value > 0 ? "+" : "") + self.money(value)
    }

    /// `20`, `12.5`: shares, with up to two decimals.
    static func size(_ value: Double?) -> String { self.decimal(value, least: 0, most: 2) }

    /// `8.2 s`, from milliseconds.
    static func span(milliseconds: Double?) -> String {
        guard let milliseconds, milliseconds >= 0, milliseconds < 1e15 else { return "" }
        return DurationText.age(.milliseconds(Int64(milliseconds)))
    }

    /// `8.2 s`, from seconds.
    static func span(seconds: Double) -> String { self.span(milliseconds: seconds * 1000) }

    /// A name, or the id where there is no name.
    static func market(_ slug: String?, _ id: MarketID?) -> String {
        if let slug, !slug.isEmpty { return slug }
        return id?.rawValue ?? ""
    }

    /// The beginning of an id, which tells the few markets of one table apart.
    static func shortened(_ id: MarketID) -> String {
        id.rawValue.count > 12 ? "\(id.rawValue.prefix(11))…" : id.rawValue
    }

    static func decimal(_ value: Double?, least: Int = 2, most: Int) -> String {
        guard let value, value.isFinite, abs(value) < 1e15 else { return "" }
        let scale = (0..<most).reduce(Int64(1)) { product, _ in product * 10 }
        let units = Int64((abs(value) * Double(scale)).rounded())
        var digits = String(units % scale)
        digits = String(repeating: "0", count: most - digits.count) + digits
        while digits.count > least, digits.hasSuffix("0") { digits.removeLast() }
        let sign = value < 0 && units != 0 ? "-" : ""
        return "\(sign)\(units / scale)" + (digits.isEmpty ? "" : ".\(digits)")
    }
}
