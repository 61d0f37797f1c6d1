import OddsCore

/// The account and the reference price in the words of the terminal.
enum BotText {
    /// `paper $1,003.20 …` in one line.
    static func account(_ account: AccountRecord) -> String {
        let net = account.profit - account.fees
        var parts = [
            "paper equity \(OddsText.dollars(account.equity))", "net \(net < 0 ? "" : "+")\(OddsText.dollars(net))",
            "fees \(OddsText.dollars(account.fees))", "\(account.openPositions) open",
            "\(account.settledPositions) settled",
        ]
        if let rate = account.hitRate { parts.append("\(OddsText.percent(rate)) hit") }
        if account.maximumDrawdown > 0 { parts.append("drawdown \(OddsText.dollars(account.maximumDrawdown))") }
        if account.isKilled { parts.append("KILL SWITCH ON (\(account.killedBy ?? ""))") }
        return parts.joined(separator: ", ")
    }

    /// The reference price against the price to beat: `btc/usd $97,123.45, to beat $97,100.00: +$23.45 (+2.4 bp), Up leads`.
    static func reference(_ reading: ReferenceReading, of market: Market) -> String {
        guard let symbol = reading.symbol else {
            return "\(OddsText.name(market)): decided by no price that is known here"
        }
        let price = Self.value(reading.price)
        let target = Self.value(reading.priceToBeat)
        var text = "\(symbol) \(price), to beat \(target)"
        if let distance = reading.distance?.doubleValue {
            text += ": \(distance < 0 ? "" : "+")\(OddsText.dollars(distance))"
        }
        if let leader = reading.leader { text += ", \(OddsText.label(leader, of: market)) leads" }
        return text
    }

    private static func value(_ value: ReferenceValue) -> String {
        value.price.map { OddsText.dollars($0.doubleValue) } ?? "unknown (\(value.reason?.rawValue ?? ""))"
    }
}
