public import OddsCore

/// Everything the simulated exchange can be told; every default stands here, once.
public struct SimulatorConfiguration: Sendable {
    /// PEM files for `wss` and `https`.
    public struct TLS: Sendable, Hashable {
        /// The certificate chain, the server's own first.
        public var certificateFile: String
        /// The private key of the first certificate.
        public var keyFile: String

        /// The two files by their paths.
        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// How lively a market is, per market and second, while its window runs. Before the window it is an eighth of this.
    public struct Flow: Sendable, Hashable {
        /// Single orders placed and cancelled, per second.
        public var orders = 26.0
        /// Trades, per second; each gives a book of both tokens and a last trade price.
        public var trades = 1.5
        /// How often the market makers look whether their quotes still fit, per second.
        public var quotes = 9.0
        /// Mass cancels by one market maker, per minute.
        public var massCancels = 6.0
        /// Attempts at a spike over 0.70 that comes back within seconds, per minute.
        public var spikes = 7.0

        /// The defaults: about 50 messages per second.
        public init() {}
    }

    /// Where the order flow comes from instead of the seed.
    public struct Tape: Sendable {
        /// What is played: a recording, for one.
        public var source: any FeedTape
        /// How fast the tape runs: 1 is as recorded, 10 ten times as fast; infinity sends all at once.
        public var speed = 1.0

        /// A tape and its speed.
        public init(_ source: any FeedTape, speed: Double = 1) {
            self.source = source
            self.speed = speed
        }
    }

    /// All flow follows from the seed and the start: the same two give the same bytes, whatever the pacing.
    public var seed: UInt64 = 1
    /// The series of windows.
    public var series: [MarketSeries] = []
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port of the market channel and of the CLOB REST API; 0 takes a free one.
    public var marketPort = 0
    /// The port of the Gamma REST API, another host in reality; 0 takes a free one.
    public var gammaPort = 0
    /// The port of the live data socket (RTDS) with the prices, another host in reality; 0 takes a free one.
    public var rtdsPort = 0
    /// Certificate and key; nil serves `ws` and `http`.
    public var tls: TLS?
    /// The venue's time when the simulator starts; the grid of windows follows from it. Nil takes the clock's.
    public var start: Timestamp?
    /// How lively the markets are.
    public var flow = Flow()
    /// The yearly volatility of the simulated prices (0.6 = 60 %).
    public var volatility = 0.6
    /// Which price decides a window.
    public enum Settlement: Sendable, Hashable {
        /// The price of the boundary's second, as before August 2026.
        case spot
        /// The mean of the prices of the last seconds: see `lookbackSeconds(of:)`.
        case twap
    }

    /// Which price decides a window; Gamma tells it in `cryptoMarketConfig`.
    public var settlement = Settlement.twap
    /// How long after its end a window is decided; 15 to 21 s in reality.
    public var resolutionDelay = Duration.seconds(2)
    /// How long before its start a window exists; a day in reality, and never less than five windows.
    public var listedAhead = Duration.seconds(86_400)
    /// How long before its start a window's orders begin to move; earlier its book stands still.
    public var activeAhead = Duration.seconds(90)
    /// Order flow from a recording instead of the seed; nil for the seed.
    public var tape: Tape?
    /// How often due events are sent: what is due is written together, with one flush per connection.
    public var tick = Duration.milliseconds(5)
    /// How long a connection that is subscribed to nothing is kept.
    public var idleLimit = Duration.seconds(2)
    /// Bytes a reader may be behind before its connection is dropped.
    public var slowReaderLimit = 16 * 1024 * 1024

    /// The defaults: no series yet.
    public init() {}

    /// How many seconds the mean goes over that decides a window of a series; nil when none does.
    ///
    /// 60 from windows of 15 minutes on and 30 from 5 minutes on, as the venue has it; of shorter windows, which it does not
    /// have, a third, and at least two.
    public func lookbackSeconds(of series: MarketSeries) -> Int? {
        guard self.settlement == .twap else { return nil }
        switch series.period.components.seconds {
        case 900...: return 60
        case 300...: return 30
        case let seconds: return max(2, min(30, Int(seconds / 3)))
        }
    }
}
