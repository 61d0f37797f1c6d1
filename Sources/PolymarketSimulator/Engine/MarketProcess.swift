internal import OddsCore

/// A level's new total after an action, in prices of the Up token.
struct LevelChange: Hashable, Sendable {
    var side: SimulatedBook.Side
    var price: Price
    var size: Size
    /// The token the order was placed on: the venue lists its entry first.
    var placedOn: Token
}

/// One trade, on the token it was made on.
struct SimulatedTrade: Hashable, Sendable {
    var token: Token
    var price: Price
    var size: Size
    /// Whether the taker bought this token.
    var takerBuys: Bool
    var number: Int64
}

/// What happened in a market, told when it has happened to the book.
enum MarketEvent: Sendable {
    /// One action of the engine touched these levels; told in the order to be sent.
    case levels([LevelChange])
    /// A trade changed the book; the trade itself is told some 30 ms later.
    case tradeBook
    case trade(SimulatedTrade)
    case tickSize(old: Price, new: Price)
    case resolved(Token)
}

/// One market's life from its first order to its resolution, as a machine: time goes in, events come out.
///
/// Everything follows from the seed, the slug and the moment the life begins. Two actions never share a millisecond,
/// so "the book after the batch at t" means one book.
struct MarketProcess: Sendable {
    /// What can be due, in the order in which it is done when it is due at the same moment.
    private enum Step: Int, CaseIterable {
        case tradeReport
        case quote
        case order
        case trade
        case massCancel
        case end
        case emptying
        case resolution
        case retirement
    }

    private struct Spike {
        var begin: Timestamp
        var end: Timestamp
        var peak: Double
        /// The side that goes over 0.70; chosen when the spike begins.
        var token: Token?
        var begun = false
    }

    private static let never = Timestamp(milliseconds: .max)
    /// How long a resolved market is still known to the book endpoints.
    private static let kept = Duration.seconds(60)

    let window: SimulatedWindow
    private(set) var book = SimulatedBook()
    private(set) var tickSize: Price = 0.01
    private(set) var lastTrade: SimulatedTrade?
    /// The time of the last change of the book.
    private(set) var bookTime: Timestamp
    private(set) var isRetired = false
    /// Trades so far, for the volume in the listings.
    private(set) var volume: Size = .zero

    private let prices: WindowPrices
    private let flow: SimulatorConfiguration.Flow
    private var random: SplitMix64
    private var due: [Timestamp]
    private var reports: [(at: Timestamp, trade: SimulatedTrade)] = []
    private var spikes: [Spike] = []
    private var lastAction: Timestamp

    /// A market whose orders begin to move at `begin`; its book stands ready from its listing.
    init(
        window: SimulatedWindow, prices: WindowPrices, configuration: SimulatorConfiguration, begin: Timestamp
    ) {
        self.window = window
        self.prices = prices
        self.flow = configuration.flow
        self.random = SplitMix64(seed: Deterministic.mix(configuration.seed ^ Deterministic.hash(window.slug)))
        self.bookTime = window.listed.advanced(by: .milliseconds(1_500))
        self.lastAction = max(begin, self.bookTime)
        self.due = Array(repeating: Self.never, count: Step.allCases.count)
        self.openBook()
        self.drawSpikes(from: max(begin, window.start))
        for step in [Step.quote, .order, .trade, .massCancel] { self.schedule(step, after: self.lastAction) }
        self.due[Step.end.rawValue] = window.end
        let resolution = window.end.advanced(by: configuration.resolutionDelay)
        self.due[Step.resolution.rawValue] = resolution
        self.due[Step.retirement.rawValue] = resolution.advanced(by: Self.kept)
    }

    /// When something happens next; nil when the life is over.
    var nextTime: Timestamp? { self.isRetired ? nil : self.due.min() }

    /// Lets the next thing happen and tells what it was; an empty answer when nothing was to be seen.
    mutating func step() -> (time: Timestamp, events: [MarketEvent]) {
        guard let step = Step.allCases.min(by: { self.due[$0.rawValue] < self.due[$1.rawValue] }) else {
            return (self.lastAction, [])
        }
        let time = self.due[step.rawValue]
        self.due[step.rawValue] = Self.never
        switch step {
        case .tradeReport: return (time, self.reportTrade())
        case .quote: return self.act(step, at: time) { $0.requote(at: $1) }
        case .order: return self.act(step, at: time) { process, _ in process.singleOrder() }
        case .trade: return self.act(step, at: time) { $0.trade(at: $1) }
        case .massCancel: return self.act(step, at: time) { process, _ in process.massCancel() }
        case .end:
            for step in [Step.quote, .order, .trade, .massCancel] { self.due[step.rawValue] = Self.never }
            self.due[Step.emptying.rawValue] = time.advanced(by: .milliseconds(120 + self.random.index(300)))
            return (time, [])
        case .emptying: return self.act(step, at: time) { process, _ in process.emptyBook() }
        case .resolution: return (time, [.resolved(self.winner)])
        case .retirement:
            self.isRetired = true
            return (time, [])
        }
    }

    /// The side that wins: Up unless the closing price lies below the price to beat.
    var winner: Token { self.prices.winner }

    // MARK: Time

    private mutating func act(
        _ step: Step, at time: Timestamp, _ action: (inout MarketProcess, Timestamp) -> [MarketEvent]
    ) -> (time: Timestamp, events: [MarketEvent]) {
        guard time > self.lastAction else {
            self.due[step.rawValue] = self.lastAction.advanced(by: .milliseconds(1))
            return (time, [])
        }
        let events = action(&self, time)
        if !events.isEmpty { self.lastAction = time }
        if events.contains(where: \.changesBook) { self.bookTime = time }
        self.schedule(step, after: time)
        return (time, events)
    }

    /// Draws when a step comes next: often soon, sometimes late, as orders do.
    private mutating func schedule(_ step: Step, after time: Timestamp) {
        let perSecond =
            switch step {
            case .quote: self.flow.quotes
            case .order: self.flow.orders
            case .trade: self.flow.trades
            case .massCancel: self.flow.massCancels / 60
            case .tradeReport, .end, .emptying, .resolution, .retirement: 0.0
            }
        guard perSecond > 0, time < self.window.end else { return }
        let rate = time < self.window.start ? perSecond / 8 : perSecond
        let scale = self.random.chance(0.3) ? self.random.number(in: 0.05..<0.35) : self.random.number(in: 0.6..<2.0)
        let wait = Duration.milliseconds(max(1, Int64(1000 / rate * scale)))
        let next = time.advanced(by: wait)
        // The first look of the quotes into the window comes with its start.
        let starts = time < self.window.start && next > self.window.start && step == .quote
        self.due[step.rawValue] = starts ? self.window.start : next
        if self.due[step.rawValue] >= self.window.end { self.due[step.rawValue] = Self.never }
    }

    // MARK: What the market thinks

    /// The chance of Up as the market makers see it, spikes included.
    private mutating func fairValue(at time: Timestamp) -> Double {
        let fair = self.prices.calmValue(at: time)
        guard let index = self.spikes.firstIndex(where: { $0.begin <= time && time < $0.end }) else { return fair }
        if !self.spikes[index].begun {
            self.spikes[index].begun = true
            self.spikes[index].token = self.spikeSide(fair)
        }
        let spike = self.spikes[index]
        guard let token = spike.token else { return fair }
        let length = Double(spike.end.milliseconds - spike.begin.milliseconds)
        let part = Double(time.milliseconds - spike.begin.milliseconds) / length
        // Up at once, a little round at the top.
        let peak = spike.peak - 0.02 * (2 * part - 1) * (2 * part - 1)
        return token == .up ? max(fair, peak) : min(fair, 1 - peak)
    }

    /// Which side may jump: one that is neither there already nor out of reach.
    private mutating func spikeSide(_ fair: Double) -> Token? {
        let first: Token = self.random.chance(0.5) ? .up : .down
        for token in [first, first.opposite] {
            let own = token == .up ? fair : 1 - fair
            if own >= 0.10, own <= 0.62 { return token }
        }
        return nil
    }

    private mutating func drawSpikes(from begin: Timestamp) {
        guard self.flow.spikes > 0 else { return }
        let last = self.window.end.advanced(by: .zero - self.window.series.period / 10)
        var time = begin
        while true {
            time = time.advanced(
                by: .milliseconds(Int64(60_000 / self.flow.spikes * self.random.number(in: 0.2..<1.8))))
            // 0.3 to 5 s, short ones more often.
            let share = self.random.unit()
            let length = Duration.milliseconds(Int64(300 + 4_600 * share * share))
            let end = time.advanced(by: length)
            guard end < last else { return }
            self.spikes.append(Spike(begin: time, end: end, peak: self.random.number(in: 0.75..<0.92)))
            time = end.advanced(by: .milliseconds(1_500))
        }
    }

    // MARK: The book

    /// The first book: a ladder on both sides of 0.50.
    private mutating func openBook() {
        for tick in 1...49 {
            let near = tick >= 40
            for side in [SimulatedBook.Side.bids, .asks] where near || self.random.chance(0.7) {
                let price = Price(rawValue: Int32(side == .bids ? tick * 100 : 10_000 - tick * 100))
                self.book.set(side, price: price, size: self.drawSize(large: tick < 4))
            }
        }
    }

    private mutating func drawSize(large: Bool = false) -> Size {
        let share = self.random.unit()
        if large { return Size(rawValue: Int64(200 + share * 2500) * 1_000_000) }
        let whole = Int64(5 + 480 * share * share * share) * 1_000_000
        return Size(rawValue: self.random.chance(0.2) ? whole + Int64(self.random.index(100)) * 10_000 : whole)
    }

    private mutating func drawToken() -> Token { self.random.chance(0.5) ? .up : .down }

    /// Makes the changes, then tells them in an arbitrary order: what is told with each of them is the state after all.
    private mutating func commit(_ changes: [LevelChange]) -> [MarketEvent] {
        guard !changes.isEmpty else { return [] }
        for change in changes { self.book.set(change.side, price: change.price, size: change.size) }
        var order = changes
        self.random.shuffle(&order)
        return [.levels(order)]
    }

    /// Where quotes of a side belong around a fair value; nil when no price is left.
    private func target(_ side: SimulatedBook.Side, fair: Double) -> Price? {
        let tick = Double(self.tickSize.rawValue)
        let half = tick == 100 ? 70.0 : 13.0
        let raw = fair * 10_000
        switch side {
        case .bids:
            let price = Int32(((raw - half) / tick).rounded(.down) * tick)
            return price >= self.tickSize.rawValue ? Price(rawValue: min(price, 10_000 - self.tickSize.rawValue)) : nil
        case .asks:
            let price = Int32(((raw + half) / tick).rounded(.up) * tick)
            return price <= 10_000 - self.tickSize.rawValue ? Price(rawValue: max(price, self.tickSize.rawValue)) : nil
        }
    }

    /// The market makers move their quotes to the fair value: what lies beyond it goes, what is missing near it comes.
    private mutating func requote(at time: Timestamp) -> [MarketEvent] {
        let fair = self.fairValue(at: time)
        let extreme = fair > 0.965 || fair < 0.035
        if self.tickSize == 0.01, extreme, let best = self.book.best(fair > 0.5 ? .bids : .asks),
            fair > 0.5 ? best.price > 0.96 : best.price < 0.04
        {
            self.tickSize = 0.001
            return [.tickSize(old: 0.01, new: 0.001)]
        }
        var changes: [LevelChange] = []
        self.requote(.bids, fair: fair, into: &changes)
        self.requote(.asks, fair: fair, into: &changes)
        return self.commit(changes)
    }

    private mutating func requote(_ side: SimulatedBook.Side, fair: Double, into changes: inout [LevelChange]) {
        let levels = self.book.levels(side)
        guard let target = self.target(side, fair: fair) else {
            // Whatever is left on this side would give money away.
            for level in levels {
                changes.append(
                    LevelChange(side: side, price: level.price, size: .zero, placedOn: self.drawToken()))
            }
            return
        }
        // Quotes that would give money away.
        for level in levels.reversed() {
            let beyond = side == .bids ? level.price > target : level.price < target
            guard beyond else { break }
            changes.append(LevelChange(side: side, price: level.price, size: .zero, placedOn: self.drawToken()))
        }
        // The ladder behind the best price; the further away, the more gaps.
        let tick = self.tickSize.rawValue
        let room = (side == .bids ? target.rawValue - tick : 10_000 - tick - target.rawValue) / tick
        for step in 0...max(0, min(7, room)) {
            let offset = step * tick
            let price = Price(rawValue: side == .bids ? target.rawValue - offset : target.rawValue + offset)
            let present = self.book.size(side, at: price)
            if present == .zero, step == 0 || self.random.chance(step < 3 ? 0.8 : 0.12) {
                changes.append(
                    LevelChange(side: side, price: price, size: self.drawSize(), placedOn: self.drawToken()))
            }
        }
    }

    /// One order placed or cancelled behind the best prices.
    private mutating func singleOrder() -> [MarketEvent] {
        let side: SimulatedBook.Side = self.random.chance(0.5) ? .bids : .asks
        let levels = self.book.levels(side)
        guard let best = levels.last else { return [] }
        if levels.count > 45 || (levels.count > 12 && self.random.chance(0.5)) {
            return self.cancelOrder(side, levels)
        }
        let share = self.random.unit()
        let offset = Int32(share * share * 14) * self.tickSize.rawValue
        let raw = side == .bids ? best.price.rawValue - offset : best.price.rawValue + offset
        guard raw >= self.tickSize.rawValue, raw <= 10_000 - self.tickSize.rawValue else { return [] }
        let price = Price(rawValue: raw)
        let size = self.book.size(side, at: price) + self.drawSize()
        return self.commit([LevelChange(side: side, price: price, size: size, placedOn: self.drawToken())])
    }

    private mutating func cancelOrder(_ side: SimulatedBook.Side, _ levels: [SimulatedBook.Level]) -> [MarketEvent] {
        let share = self.random.unit()
        let depth = levels.count > 45 ? levels.count - 1 : Int(share * share * Double(levels.count))
        let level = levels[levels.count - 1 - depth]
        let cents = level.size.rawValue / 10_000
        let part = Size(rawValue: max(1, Int64(Double(cents) * self.random.number(in: 0.2..<0.9))) * 10_000)
        let size = levels.count > 45 || self.random.chance(0.4) ? Size.zero : level.size - part
        return self.commit([LevelChange(side: side, price: level.price, size: size, placedOn: self.drawToken())])
    }

    /// A market maker takes everything away for a moment: levels near the top of one or both sides.
    private mutating func massCancel() -> [MarketEvent] {
        var changes: [LevelChange] = []
        let both = self.random.chance(0.5)
        let first: SimulatedBook.Side = self.random.chance(0.5) ? .bids : .asks
        for side in both ? [first, first.opposite] : [first] {
            let levels = self.book.levels(side)
            guard levels.count > 14 else { continue }
            for level in levels.suffix(2 + self.random.index(5)) {
                changes.append(LevelChange(side: side, price: level.price, size: .zero, placedOn: self.drawToken()))
            }
        }
        return self.commit(changes)
    }

    private mutating func emptyBook() -> [MarketEvent] {
        var changes: [LevelChange] = []
        for side in [SimulatedBook.Side.bids, .asks] {
            for level in self.book.levels(side) {
                changes.append(LevelChange(side: side, price: level.price, size: .zero, placedOn: self.drawToken()))
            }
        }
        return self.commit(changes)
    }

    // MARK: Trades

    /// A taker meets the best price of one side.
    private mutating func trade(at time: Timestamp) -> [MarketEvent] {
        let lean = self.fairValue(at: time)
        let side: SimulatedBook.Side = self.random.chance(0.3 + 0.4 * lean) ? .asks : .bids
        guard let level = self.book.best(side) else { return [] }
        let wanted = self.random.chance(0.15) ? level.size : self.tradeSize()
        let size = min(wanted, level.size)
        // Books show hundredths of a share: what is left of a level is rounded down to them.
        let left = (level.size.rawValue - size.rawValue) / 10_000 * 10_000
        self.book.set(side, price: level.price, size: Size(rawValue: left))
        let token = self.drawToken()
        let trade = SimulatedTrade(
            token: token, price: token == .up ? level.price : level.price.complement, size: size,
            takerBuys: (side == .asks) == (token == .up), number: time.milliseconds)
        self.lastTrade = trade
        self.volume = self.volume + size
        let report = time.advanced(by: .milliseconds(24 + self.random.index(14)))
        self.reports.append((report, trade))
        self.due[Step.tradeReport.rawValue] = self.reports.map(\.at).min() ?? Self.never
        return [.tradeBook]
    }

    private mutating func tradeSize() -> Size {
        let share = self.random.unit()
        let whole = Int64(5 + 120 * share * share) * 1_000_000
        return Size(rawValue: self.random.chance(0.4) ? whole + Int64(self.random.index(1_000_000)) : whole)
    }

    private mutating func reportTrade() -> [MarketEvent] {
        guard let index = self.reports.indices.min(by: { self.reports[$0].at < self.reports[$1].at }) else { return [] }
        let trade = self.reports.remove(at: index).trade
        self.due[Step.tradeReport.rawValue] = self.reports.map(\.at).min() ?? Self.never
        return [.trade(trade)]
    }
}
