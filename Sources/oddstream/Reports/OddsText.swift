import OddsCore

/// Odds, prices and events in the words of the terminal.
enum OddsText {
    /// `71.5%`; `-` when there are none.
    static func percent(_ odds: Odds?) -> String {
        guard let odds else { return "-" }
        let tenths = (Int64(odds.rawValue) + 500) / 1000
        return "\(tenths / 10).\(tenths % 10)%"
    }

    /// `71.5%` from a number between 0 and 1.
    static func percent(_ odds: Double) -> String { self.percent(Odds(floatLiteral: Swift.min(1, Swift.max(0, odds)))) }

    /// `$12.50`, `-$3.20`: dollars with so many digits behind the point.
    static func dollars(_ amount: Double, digits: Int = 2) -> String {
        var unit = 1.0
        for _ in 0..<digits { unit *= 10 }
        let whole = Int64((Swift.abs(amount) * unit).rounded())
        let fraction = String(whole % Int64(unit))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        let text = "$\(whole / Int64(unit)).\(zeros)\(fraction)"
        return amount < 0 && whole > 0 ? "-" + text : text
    }

    /// `0.71`, with the decimals the price has, at least two; `-` when there is none.
    static func price(_ price: Price?) -> String {
        guard let price else { return "-" }
        return OddsText.atLeastCents(price.description)
    }

    /// The spread between two quoted sides; `-` when a side is missing.
    static func spread(_ quote: Quote) -> String {
        guard quote.bid != nil, quote.ask != nil else { return "-" }
        return OddsText.atLeastCents(quote.spread.description)
    }

    private static func atLeastCents(_ text: String) -> String {
        guard let point = text.firstIndex(of: ".") else { return text + ".00" }
        let decimals = text.distance(from: point, to: text.endIndex) - 1
        return decimals < 2 ? text + "0" : text
    }

    /// The name people know a market by.
    static func name(_ market: Market) -> String { market.slug.isEmpty ? market.id.rawValue : market.slug }

    /// The label of a side, as the venue writes it.
    static func label(_ side: Side, of market: Market) -> String {
        switch side {
        case .yes: market.yes.label
        case .no: market.no?.label ?? "No"
        }
    }

    /// `live`, or `suspect: crossed`.
    static func trust(_ trust: Trust) -> String { trust.reason.map { "\(trust.name): \($0)" } ?? trust.name }

    /// `btc-updown-15m → btc-updown-15m-1764000900, first odds -58.2 s`.
    static func rollover(_ receipt: RolloverReceipt, style: TextStyle) -> String {
        let odds =
            receipt.firstOddsMilliseconds.map { "first odds \(DurationText.signedSeconds(milliseconds: $0))" }
            ?? "no odds yet"
        return "\(receipt.series) \(style.arrow) \(OddsText.name(receipt.market)), \(odds)"
    }

    /// `btc-updown-15m-1764000000: Up won`.
    static func resolution(_ resolution: Resolution) -> String {
        let outcome = resolution.winner.map { "\(OddsText.label($0, of: resolution.market)) won" } ?? "no single winner"
        return "\(OddsText.name(resolution.market)): \(outcome)"
    }

    /// `-12.3 s to go` as the table shows it: `4:59` inside the window, `in 2:03` before it, `ended` after it.
    static func timeLeft(_ market: Market, now: Timestamp) -> String {
        guard let window = market.window else { return "" }
        if now < window.start { return "in " + DurationText.clock(now.duration(to: window.start)) }
        if now < window.end { return DurationText.clock(now.duration(to: window.end)) }
        return "ended"
    }

    /// `14:45–15:00`.
    static func window(_ market: Market, style: TextStyle) -> String {
        guard let window = market.window else { return "" }
        let ends = [window.start, window.end]
        let areMinutes = ends.allSatisfy { $0.seconds.isMultiple(of: 60) }
        return ends.map { areMinutes ? ClockText.minutes($0) : ClockText.seconds($0) }.joined(separator: style.dash)
    }
}
