public import OddsCore

/// What the exchange itself knows of a market at a moment: what a client should have arrived at.
public struct MarketTruth: Sendable, Hashable {
    /// The top of one token's book; nil where a side is empty.
    public struct Top: Sendable, Hashable {
        /// The highest bid.
        public var bid: Price?
        /// The shares bid for at it.
        public var bidSize: Size?
        /// The lowest ask.
        public var ask: Price?
        /// The shares asked for at it.
        public var askSize: Size?
    }

    /// The token that wins when the price does not fall.
    public var up: Top
    /// The other token.
    public var down: Top
    /// The price of the last trade, on whichever token it was; nil when there was none.
    public var lastTrade: Price?
    /// The same in terms of the Up token.
    public var lastTradeOfUp: Price?
    /// The smallest price step now.
    public var tickSize: Price
    /// When the book last changed.
    public var bookTime: Timestamp
    /// The venue's time.
    public var time: Timestamp
}

/// Where a running simulator can be reached.
public struct SimulatorEndpoints: Sendable, Hashable {
    /// The market channel, `ws://` or `wss://`.
    public var marketWebSocket: String
    /// Base of the CLOB REST API, `http://` or `https://`.
    public var clobREST: String
    /// Base of the Gamma REST API.
    public var gammaREST: String
    /// The live data socket with the prices, `ws://` or `wss://`.
    public var rtdsWebSocket: String
}

/// What a simulator has done so far.
public struct SimulatorCounters: Sendable, Hashable {
    /// Connections of the market channel that were let in.
    public var connectionsAccepted = 0
    /// Connections of the market channel that were turned away by a fault.
    public var connectionsRefused = 0
    /// Connections of the market channel now.
    public var connectionsOpen = 0
    /// Assets subscribed to now, over all connections.
    public var subscriptions = 0
    /// Frames of data sent, dumps included.
    public var framesSent = 0
    /// Messages received on the market channel.
    public var messagesReceived = 0
    /// REST requests, answered or not.
    public var requests = 0
    /// Connections of the live data socket now.
    public var priceConnections = 0
    /// Feeds of prices subscribed to now, over all connections.
    public var priceSubscriptions = 0
    /// Frames with prices sent, histories included.
    public var priceFrames = 0
    /// Whether the tape has ended; its last books are served on.
    public var hasTapeEnded = false
    /// Faults that have begun.
    public var faults = 0
}

extension MarketTruth {
    init(_ process: MarketProcess, time: Timestamp) {
        func top(_ token: Token) -> Top {
            let top = process.book.top(of: token)
            return Top(bid: top.bid?.price, bidSize: top.bid?.size, ask: top.ask?.price, askSize: top.ask?.size)
        }
        self.init(
            up: top(.up), down: top(.down), lastTrade: process.lastTrade?.price,
            lastTradeOfUp: process.lastTrade.map { $0.token == .up ? $0.price : $0.price.complement },
            tickSize: process.tickSize,
            bookTime: process.bookTime, time: time)
    }
}
