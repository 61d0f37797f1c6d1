internal import OddsCore

/// One of a market's two tokens.
enum Token: Int, Sendable, CaseIterable {
    case up
    case down

    var label: String { self == .up ? "Up" : "Down" }
    var opposite: Token { self == .up ? .down : .up }
}

/// One window of one series: everything about it that follows from the seed and its slug alone.
struct SimulatedWindow: Sendable {
    let series: MarketSeries
    /// When the window begins, on the grid of its length.
    let start: Timestamp
    let end: Timestamp
    /// When the market came into being: it is shown and takes orders from here on.
    let listed: Timestamp
    let slug: String
    let condition: String
    let question: String
    let up: String
    let down: String

    init(series: MarketSeries, window: MarketWindow, listedAhead: Duration, cipher: TokenCipher) {
        self.series = series
        self.start = window.start
        self.end = window.end
        self.listed = Self.listing(of: window, series: series, listedAhead: listedAhead)
        self.slug = Self.slug(of: window, series: series)
        let key = Deterministic.hash(series.name)
        let number = window.start.seconds
        self.condition = "0x" + cipher.identifier(series: key, number: number, kind: .condition).hexadecimal
        self.question = "0x" + cipher.identifier(series: key, number: number, kind: .question).hexadecimal
        self.up = cipher.identifier(series: key, number: number, kind: .up).decimal
        self.down = cipher.identifier(series: key, number: number, kind: .down).decimal
    }

    /// When the market of a window comes into being: the venue needs some seconds to make it.
    static func listing(of window: MarketWindow, series: MarketSeries, listedAhead: Duration) -> Timestamp {
        window.start.advanced(by: .milliseconds(2_000) - max(listedAhead, series.period * 5))
    }

    /// What the venue calls the market of a window.
    static func slug(of window: MarketWindow, series: MarketSeries) -> String {
        series.slugs(for: window).first ?? "\(series.name)-\(window.start.seconds)"
    }

    func asset(_ token: Token) -> String { token == .up ? self.up : self.down }

    /// The venue's running number of the market.
    var number: String { String(2_000_000 + Deterministic.hash(self.slug) % 7_000_000) }
    /// The venue's running number of the event.
    var eventNumber: String { String(400_000 + Deterministic.hash("event " + self.slug) % 500_000) }

    /// What people read: `Bitcoin Up or Down - June 7, 7:55PM-8:00PM ET`.
    var title: String {
        let from = CivilTime(eastern: self.start)
        let to = CivilTime(eastern: self.end)
        let fine = self.series.period.components.seconds % 60 != 0
        return "\(Self.name(of: self.series.asset)) Up or Down - \(from.monthAndDay), "
            + "\(from.clock(seconds: fine))-\(to.clock(seconds: fine)) ET"
    }

    /// The rules, as the venue words them.
    var rules: String {
        let name = Self.name(of: self.series.asset)
        let pair = "\(self.series.asset.uppercased())/USD"
        return "This market will resolve to \"Up\" if the \(name) price at the end of the time range specified in the "
            + "title is greater than or equal to the price at the beginning of that range. Otherwise, it will resolve to "
            + "\"Down\".\nThe resolution source for this market is a simulated \(pair) price.\nPlease note that this "
            + "market is part of a simulation, not of an exchange."
    }

    private static func name(of asset: String) -> String {
        switch asset {
        case "btc": "Bitcoin"
        case "eth": "Ethereum"
        case "sol": "Solana"
        default: asset.uppercased()
        }
    }
}
