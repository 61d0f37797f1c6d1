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

    /// The reference price against the price to beat.
    static func reference(_ reading: ReferenceReading, of market: Market) -> String { "" }
}
