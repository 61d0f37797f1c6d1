internal import OddsCore

/// Names one window.
struct WindowKey: Hashable, Sendable {
    var series: String
    var start: Int64
}

/// A frame whose time has come.
struct Emission: Sendable, Equatable {
    /// Who gets it.
    enum Audience: Sendable, Equatable {
        /// Everyone subscribed to one of these assets.
        case assets([String])
        /// Of those, everyone who asked for the custom events.
        case customAssets([String])
        /// Everyone who asked for the custom events.
        case custom
    }

    var time: Timestamp
    var audience: Audience
    var frame: [UInt8]
}

/// The whole exchange without sockets and clock: time goes in, frames come out.
///
/// What happens follows from seed and start alone. Only what somebody listens to is spelled out and hashed; what is
/// spelled out does not depend on who listens.
struct ExchangeEngine: Sendable {
    private struct ActiveMarket: Sendable {
        var key: WindowKey
        var process: MarketProcess
        var frames: MarketFrames
    }

    let configuration: SimulatorConfiguration
    let start: Timestamp
    private(set) var now: Timestamp
    /// How far the venue's clock is ahead of the time things happen at: a fault, seen in everything it stamps.
    var skew = Duration.zero
    private let cipher: TokenCipher
    private let paths: [String: PricePath]
    private let seriesByHash: [UInt64: MarketSeries]
    private var active: [ActiveMarket] = []
    /// Per series: the next window to become active, and the next to be listed.
    private var nextActive: [MarketWindow]
    private var nextListed: [MarketWindow]
    /// Markets of assets the exchange does not run: they are announced and never traded.
    private let foreign: [MarketSeries]

    init(configuration: SimulatorConfiguration, start: Timestamp) {
        self.configuration = configuration
        self.start = start
        self.now = start
        self.cipher = TokenCipher(seed: configuration.seed)
        var paths: [String: PricePath] = [:]
        var byHash: [UInt64: MarketSeries] = [:]
        for series in configuration.series {
            paths[series.asset] = PricePath(
                asset: series.asset, seed: configuration.seed, yearlyVolatility: configuration.volatility)
            byHash[Deterministic.hash(series.name)] = series
        }
        self.paths = paths
        self.seriesByHash = byHash
        let names = Set(configuration.series.map(\.name))
        self.foreign = configuration.series.compactMap { series in
            guard series.asset == "btc" else { return nil }
            let name = "xrp" + series.name.dropFirst(3)
            // A length that is right for one asset is right for every one.
            return names.contains(name) ? nil : try? MarketSeries(name)
        }
        self.nextActive = configuration.series.map { $0.window(containing: start) }
        self.nextListed = []
        self.nextListed = (configuration.series + self.foreign).map { series in
            let ahead = max(configuration.listedAhead, series.period * 5)
            var first = series.window(containing: start.advanced(by: ahead - .seconds(2)))
            while SimulatedWindow.listing(of: first, series: series, listedAhead: ahead) <= start {
                first = series.window(after: first)
            }
            return first
        }
        // Windows under way, and those about to begin, have their books from the first moment.
        self.activateDue()
    }

    // MARK: Time

    /// Lets everything happen whose time has come, up to and including `time`, and adds its frames in order.
    /// - Parameter listening: whether anybody listens to the asset; frames nobody would get are not spelled out.
    mutating func advance(to time: Timestamp, listening: (String) -> Bool, into emissions: inout [Emission]) {
        while let next = self.nextTime, next <= time {
            self.now = max(self.now, next)
            self.announceDue(into: &emissions)
            self.activateDue()
            for index in self.active.indices where self.active[index].process.nextTime == next {
                self.step(index, listening: listening, into: &emissions)
            }
            self.active.removeAll { $0.process.isRetired }
        }
        self.now = max(self.now, time)
    }

    /// When something happens next.
    var nextTime: Timestamp? {
        var next: Timestamp?
        func consider(_ time: Timestamp) { next = next.map { min($0, time) } ?? time }
        for market in self.active { if let time = market.process.nextTime { consider(time) } }
        for (index, series) in self.configuration.series.enumerated() {
            consider(self.activation(series, self.nextActive[index]))
        }
        for (index, series) in (self.configuration.series + self.foreign).enumerated() {
            consider(self.listing(series, self.nextListed[index]))
        }
        return next
    }

    private func activation(_ series: MarketSeries, _ window: MarketWindow) -> Timestamp {
        let ahead = max(self.configuration.activeAhead, min(series.period * 2, .seconds(300)))
        return window.start.advanced(by: .zero - ahead)
    }

    private func listing(_ series: MarketSeries, _ window: MarketWindow) -> Timestamp {
        SimulatedWindow.listing(of: window, series: series, listedAhead: self.configuration.listedAhead)
    }

    private mutating func activateDue() {
        for (index, series) in self.configuration.series.enumerated() {
            while self.activation(series, self.nextActive[index]) <= self.now {
                if let path = self.paths[series.asset] {
                    let window = self.window(series, self.nextActive[index])
                    let begin = max(self.activation(series, self.nextActive[index]), self.start)
                    self.active.append(
                        ActiveMarket(
                            key: WindowKey(series: series.name, start: window.start.seconds),
                            process: MarketProcess(
                                window: window, prices: self.prices(of: window, path),
                                configuration: self.configuration,
                                begin: begin),
                            frames: MarketFrames(window: window, cipher: self.cipher)))
                }
                self.nextActive[index] = series.window(after: self.nextActive[index])
            }
        }
    }

    private mutating func announceDue(into emissions: inout [Emission]) {
        for (index, series) in (self.configuration.series + self.foreign).enumerated() {
            while self.listing(series, self.nextListed[index]) <= self.now {
                let window = self.window(series, self.nextListed[index])
                emissions.append(
                    Emission(
                        time: window.listed, audience: .custom,
                        frame: MarketFrames.newMarket(window, at: window.listed.advanced(by: self.skew))))
                self.nextListed[index] = series.window(after: self.nextListed[index])
            }
        }
    }

    private mutating func step(
        _ index: Int, listening: (String) -> Bool, into emissions: inout [Emission]
    ) {
        let before = self.active[index].process.book.tops
        let (time, events) = self.active[index].process.step()
        self.active[index].frames.skew = self.skew
        let window = self.active[index].process.window
        let tokens = [window.up, window.down]
        let isHeard = listening(window.up) || listening(window.down)
        for event in events {
            if case .resolved(let winner) = event {
                emissions.append(
                    Emission(
                        time: time, audience: .custom,
                        frame: MarketFrames.resolved(window, winner: winner, at: time.advanced(by: self.skew))))
            }
            guard isHeard else { continue }
            let moved = self.active[index].process.book.tops != before
            if moved, event.changesBook {
                for token in Token.allCases {
                    emissions.append(
                        Emission(
                            time: time, audience: .customAssets([window.asset(token)]),
                            frame: self.active[index].frames.bestBidAsk(
                                token, of: self.active[index].process, at: time)))
                }
            }
            for (audience, frame) in self.frames(index, event, at: time) {
                emissions.append(Emission(time: time, audience: .assets(audience ?? tokens), frame: frame))
            }
        }
    }

    /// The frames of one event; no audience means both tokens.
    private mutating func frames(_ index: Int, _ event: MarketEvent, at time: Timestamp) -> [([String]?, [UInt8])] {
        let process = self.active[index].process
        let window = process.window
        switch event {
        case .levels(let changes):
            return self.active[index].frames.priceChanges(changes, of: process, at: time).map { (nil, $0) }
        case .tradeBook:
            return Token.allCases.map {
                ([window.asset($0)], self.active[index].frames.book($0, of: process, rest: false))
            }
        case .trade(let trade):
            return [([window.asset(trade.token)], self.active[index].frames.trade(trade, at: time))]
        case .tickSize(let old, let new):
            return Token.allCases.map {
                ([window.asset($0)], self.active[index].frames.tickSize($0, old: old, new: new, at: time))
            }
        case .resolved: return []
        }
    }

    // MARK: Questions

    private func window(_ series: MarketSeries, _ window: MarketWindow) -> SimulatedWindow {
        SimulatedWindow(
            series: series, window: window, listedAhead: self.configuration.listedAhead, cipher: self.cipher)
    }

    /// The window that starts then, when the series has one and it is listed.
    func window(series: MarketSeries, start: Int64) -> SimulatedWindow? {
        guard start > 0, start < 1 << 40 else { return nil }
        let window = series.window(containing: Timestamp(seconds: start))
        guard window.start.seconds == start, self.listing(series, window) <= self.now else { return nil }
        return self.window(series, window)
    }

    /// The windows of a series from the one that holds `first` to the last one listed, in order, lazily.
    func windows(of series: MarketSeries, from first: Timestamp) -> some Sequence<MarketWindow> {
        sequence(first: series.window(containing: first)) { series.window(after: $0) }
            .lazy.prefix { self.listing(series, $0) <= self.now }
    }

    /// The market of a window.
    func market(of series: MarketSeries, _ window: MarketWindow) -> SimulatedWindow { self.window(series, window) }

    /// The window of a slug.
    func window(slug: String) -> SimulatedWindow? {
        for series in self.configuration.series {
            if slug.hasPrefix(series.name + "-"), let start = Int64(slug.dropFirst(series.name.count + 1)),
                let window = self.window(series: series, start: start), window.slug == slug
            {
                return window
            }
            // Hourly windows are called by a phrase, which is only looked for among those of these days.
            guard !SimulatedWindow.slug(of: series.window(containing: self.now), series: series).hasPrefix(series.name)
            else { continue }
            let days = self.windows(of: series, from: self.now.advanced(by: .seconds(-172_800)))
            if let window = days.first(where: { series.slugs(for: $0).contains(slug) }) {
                return self.window(series, window)
            }
        }
        return nil
    }

    /// The window of a condition id.
    func window(condition: String) -> SimulatedWindow? {
        Wide(condition: condition).flatMap { self.opened($0, of: [.condition]) }?.window
    }

    /// The window and side of a token id.
    func token(asset: String) -> (window: SimulatedWindow, token: Token)? {
        guard let opened = Wide(decimal: asset).flatMap({ self.opened($0, of: [.up, .down]) }) else { return nil }
        return (opened.window, opened.kind == .up ? .up : .down)
    }

    private func opened(
        _ identifier: Wide, of kinds: [TokenCipher.Kind]
    ) -> (window: SimulatedWindow, kind: TokenCipher.Kind)? {
        guard let opened = self.cipher.open(identifier), kinds.contains(opened.kind),
            let series = self.seriesByHash[opened.series],
            let window = self.window(series: series, start: opened.number)
        else { return nil }
        return (window, opened.kind)
    }

    /// The market's state now; nil when its window has passed.
    func process(of window: SimulatedWindow) -> MarketProcess? {
        let key = WindowKey(series: window.series.name, start: window.start.seconds)
        if let market = self.active.first(where: { $0.key == key }) { return market.process }
        guard window.start > self.now, let path = self.paths[window.series.asset] else { return nil }
        // Listed and not yet active: its book stands still.
        let grid = MarketWindow(start: window.start, end: window.end)
        let begin = max(self.activation(window.series, grid), self.start)
        return MarketProcess(
            window: window, prices: self.prices(of: window, path), configuration: self.configuration, begin: begin)
    }

    /// One token's book as a message; nil when the token is unknown or its market has passed.
    func book(asset: String, rest: Bool) -> [UInt8]? {
        guard let (window, token) = self.token(asset: asset), let process = self.process(of: window) else { return nil }
        var frames = MarketFrames(window: window, cipher: self.cipher)
        frames.skew = self.skew
        return frames.book(token, of: process, rest: rest)
    }

    /// A REST book of one token that was never there, stamped with a time before now.
    func ghost(asset: String, age: Duration) -> [UInt8]? {
        guard let (window, token) = self.token(asset: asset), let process = self.process(of: window) else { return nil }
        var frames = MarketFrames(window: window, cipher: self.cipher)
        return frames.ghost(token, of: process, at: self.now.advanced(by: self.skew - age))
    }

    /// The exchange as it stands, to be asked later: without the room that spelling takes.
    func still() -> ExchangeEngine {
        var copy = self
        for index in copy.active.indices {
            copy.active[index].frames = MarketFrames(window: copy.active[index].process.window, cipher: self.cipher)
        }
        return copy
    }

    private func prices(of window: SimulatedWindow, _ path: PricePath) -> WindowPrices {
        WindowPrices(
            path: path, window: MarketWindow(start: window.start, end: window.end),
            lookback: self.configuration.lookbackSeconds(of: window.series))
    }

    /// What a window is decided by.
    func prices(of window: SimulatedWindow) -> WindowPrices? {
        self.paths[window.series.asset].map { self.prices(of: window, $0) }
    }

    /// The simulated price of an asset.
    func path(of asset: String) -> PricePath? { self.paths[asset] }

    /// The assets that have a price, in order.
    var assets: [String] { self.paths.keys.sorted() }

    /// How a window's market is decided.
    func settlement(of window: SimulatedWindow) -> ReferenceSettlement {
        ReferenceSettlement(
            symbol: window.series.asset + "/usd",
            rule: self.configuration.lookbackSeconds(of: window.series).map { .twap(lookbackSeconds: $0) } ?? .spot)
    }

    /// The chance of Up by the price alone, spikes left out.
    func calmValue(of window: SimulatedWindow, at time: Timestamp) -> Double {
        self.prices(of: window)?.calmValue(at: time) ?? 0.5
    }

    /// The side that won, once the venue has said so.
    func winner(of window: SimulatedWindow) -> Token? {
        guard window.end.advanced(by: self.configuration.resolutionDelay) <= self.now else { return nil }
        return self.prices(of: window)?.winner
    }

    /// A series by its name.
    func series(named name: String) -> MarketSeries? { self.configuration.series.first { $0.name == name } }
}

extension MarketEvent {
    /// Whether it tells of a change of the book.
    var changesBook: Bool {
        switch self {
        case .levels, .tradeBook: true
        case .trade, .tickSize, .resolved: false
        }
    }
}

extension SimulatedBook {
    /// The best prices of the Up token.
    struct Tops: Hashable, Sendable {
        var bid: Price?
        var ask: Price?
    }

    var tops: Tops { Tops(bid: self.bids.last?.price, ask: self.asks.last?.price) }
}
