public import OddsCore

/// Everything the reference price can be told; every default stands here, once.
public struct ReferencePriceConfiguration: Sendable {
    /// The venue's live data socket, `ws://` or `wss://`.
    public var url = "wss://ws-live-data.polymarket.com"
    /// Symbols followed from the start, such as `btc/usd`, beside those of the markets that are followed.
    public var symbols: Set<String> = []
    /// Whether Binance's price of each symbol is followed too, as a second opinion.
    public var binance = false
    /// A PEM file with the certificate authorities to trust instead of the system's; nil for the system's.
    public var certificateAuthorityFile: String?
    /// The largest message accepted, in bytes; a larger one closes the connection with code 1009.
    public var maximumMessageSize = 1024 * 1024
    /// How long a connection attempt may take, from the name look-up to the end of the handshake.
    public var connectTimeout = Duration.seconds(5)
    /// Heartbeat, watchdog and waits of the connection.
    public var session = ReferenceSession.Limits()
    /// What counts as a price at a boundary, as stale, and how much is kept.
    public var book = ReferenceBook.Limits()
    /// Seeds jitter and masking keys; nil takes randomness from the system.
    public var seed: UInt64?

    /// The defaults: production, no symbol yet.
    public init() {}

    /// Refuses what cannot work, with the name of the value.
    func validate() throws(RealtimeOddsError) {
        func refuse(_ message: String) -> RealtimeOddsError { RealtimeOddsError(.invalidConfiguration, message) }
        guard (1024...(1 << 30)).contains(self.maximumMessageSize) else {
            throw refuse("maximumMessageSize is \(self.maximumMessageSize): use 1 KiB to 1 GiB, in bytes")
        }
        let durations: [(String, Duration)] = [
            ("connectTimeout", self.connectTimeout), ("session.heartbeatInterval", self.session.heartbeatInterval),
            ("session.pongTimeout", self.session.pongTimeout), ("session.dataTimeout", self.session.dataTimeout),
            ("session.redriveInterval", self.session.redriveInterval),
            ("session.historyTimeout", self.session.historyTimeout), ("book.staleAfter", self.book.staleAfter),
            ("book.oldestStamp", self.book.oldestStamp), ("book.patience", self.book.patience),
        ]
        for (name, value) in durations where value < .milliseconds(10) || value > .seconds(3600) {
            throw refuse("\(name) is \(value): use 10 ms to 1 h")
        }
        guard self.book.tolerance >= .zero, self.book.tolerance <= .seconds(60) else {
            throw refuse("book.tolerance is \(self.book.tolerance): use 0 to 60 s")
        }
        let allowed = self.symbols.allSatisfy { symbol in
            let parts = symbol.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2
                && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isLowercase || $0.isNumber } }
        }
        guard allowed else {
            throw refuse("symbols is \(self.symbols.sorted()): write each like btc/usd, in lower case")
        }
    }
}
