/// Writes rows of a recording into memory that it uses again: one JSON object a line.
///
/// Times are told on the monotonic clock, moved so that it showed the wall clock's time at the anchor: it never steps.
public struct RecordingRowEncoder: ~Copyable {
    /// The moment the clock is anchored at.
    public let anchor: ReceiveTime
    private var store: ByteStore

    /// An encoder without rows.
    ///
    /// - Parameter anchor: both clocks at the beginning of the run.
    public init(anchor: ReceiveTime) {
        self.anchor = anchor
        self.store = ByteStore(capacity: 1 << 17)
    }

    /// The rows written since `removeAll()`; valid until the next call that writes.
    public var bytes: UnsafeRawBufferPointer { self.store.bytes }

    /// How many bytes that are.
    public var count: Int { self.store.count }

    /// Forgets the rows.
    public mutating func removeAll() { self.store.removeAll() }

    /// The time that a row of this moment is given.
    public func time(of moment: MonotonicTime) -> Int64 {
        self.anchor.unixNanoseconds &+ (moment.nanoseconds &- self.anchor.monotonic.nanoseconds)
    }

    /// A message of a socket.
    public mutating func message(
        _ text: UnsafeRawBufferPointer, on channel: FeedChannel, connection: Int, at time: MonotonicTime
    ) {
        self.begin(time, channel, connection)
        self.store.append(",\"m\":")
        self.store.append(quoted: text)
        self.end()
    }

    /// Something happened to a connection.
    ///
    /// - Parameter isRepeated: whether an earlier file told it.
    public mutating func connection(
        _ event: FeedConnectionEvent, on channel: FeedChannel, connection: Int, at time: MonotonicTime,
        isRepeated: Bool = false
    ) {
        self.begin(time, channel, connection)
        switch event {
        case .connecting: self.store.append(",\"e\":\"connecting\"")
        case .open: self.store.append(",\"e\":\"open\"")
        case .closed(let reason, let byUs, let retryAfter):
            self.store.append(",\"e\":\"closed\"")
            self.field(",\"reason\":", reason)
            self.field(",\"by_us\":", byUs)
            self.field(",\"retry_after_ns\":", retryAfter?.wholeNanoseconds)
        }
        self.end(isRepeated: isRepeated)
    }

    /// A REST exchange; its row has the time of the answer.
    public mutating func answer(_ exchange: RESTExchange, at time: MonotonicTime) {
        self.begin(time, ",\"c\":\"rest\"")
        self.field(",\"api\":", exchange.service.rawValue)
        self.field(",\"q\":", exchange.path)
        self.field(",\"a\":", self.time(of: exchange.asked.monotonic))
        self.field(",\"s\":", exchange.status.map(Int64.init))
        self.field(",\"f\":", exchange.failure)
        if exchange.status != nil || !exchange.body.isEmpty {
            self.store.append(",\"m\":")
            exchange.body.withUnsafeBytes { self.store.append(quoted: $0) }
        }
        self.end()
    }

    /// A command to the feed.
    ///
    /// - Parameter isRepeated: whether an earlier file told it.
    public mutating func command(_ command: FeedCommand, at time: MonotonicTime, isRepeated: Bool = false) {
        self.begin(time, ",\"c\":\"feed\"")
        switch command {
        case .follow(let market):
            self.store.append(",\"e\":\"follow\"")
            self.field(",\"market\":", market)
        case .followTokens(let tokens):
            self.store.append(",\"e\":\"follow_tokens\",\"tokens\":[")
            for (index, token) in tokens.enumerated() {
                if index > 0 { self.store.append(UInt8(ascii: ",")) }
                self.store.append(quoted: token.rawValue)
            }
            self.store.append("]")
        case .unfollow(let id):
            self.store.append(",\"e\":\"unfollow\"")
            self.field(",\"id\":", id.rawValue)
        case .resolved(let resolution):
            self.store.append(",\"e\":\"resolved\"")
            self.field(",\"winner\":", resolution.winner.map { $0 == .yes ? "yes" : "no" })
            self.field(",\"by\":", resolution.source.rawValue)
            self.field(",\"exchange_ms\":", resolution.exchangeTime.milliseconds)
            self.field(",\"market\":", resolution.market)
        case .rollover(let receipt):
            self.store.append(",\"e\":\"rollover\"")
            self.field(",\"series\":", receipt.series)
            self.field(",\"boundary_ms\":", receipt.boundary.milliseconds)
            self.field(",\"first_odds_ms\":", receipt.firstOddsMilliseconds)
            self.field(",\"market\":", receipt.market)
            self.field(",\"previous\":", receipt.previous)
        case .discovery(let name, let problem):
            self.store.append(",\"e\":\"discovery\"")
            self.field(",\"name\":", name)
            self.field(",\"problem\":", problem)
        }
        self.end(isRepeated: isRepeated)
    }

    /// A note about the recording.
    public mutating func note(_ note: RecordingNote, at time: MonotonicTime) {
        self.begin(time, ",\"c\":\"feed\"")
        switch note {
        case .start(let start):
            self.store.append(",\"e\":\"start\"")
            self.field(",\"schema\":", RecordingStart.schema)
            self.field(",\"program\":", start.program)
            self.field(",\"run\":", start.run)
            self.field(",\"file\":", Int64(start.file))
            self.field(",\"lines\":", Int64(start.lines))
            // A JSON number of 64 bits is rounded by many who read it.
            self.field(",\"seed\":", start.seed.map(String.init))
            self.field(",\"renewal_ns\":", start.renewalInterval?.wholeNanoseconds)
            self.field(",\"bot\":", start.bot)
            self.field(",\"anchor_ns\":", start.anchor.unixNanoseconds)
            self.field(",\"monotonic_ns\":", start.anchor.monotonic.nanoseconds)
        case .clock(let clock):
            self.store.append(",\"e\":\"clock\"")
            self.field(",\"wall_offset_ns\":", clock.wallOffset)
            self.field(",\"exchange_offset_ns\":", clock.exchangeOffset)
        case .lost(let loss):
            self.store.append(",\"e\":\"lost\"")
            self.field(",\"rows\":", Int64(clamping: loss.rows))
            self.field(",\"bytes\":", Int64(clamping: loss.bytes))
            self.field(",\"until\":", loss.until)
        case .end: self.store.append(",\"e\":\"end\"")
        }
        self.end()
    }

    // MARK: Parts

    private mutating func begin(_ time: MonotonicTime, _ channel: FeedChannel, _ connection: Int) {
        switch channel {
        case .line(let line):
            self.begin(time, ",\"c\":")
            self.store.append(Int64(line))
        case .reference: self.begin(time, ",\"c\":\"rtds\"")
        }
        self.field(",\"k\":", Int64(connection))
    }

    private mutating func begin(_ time: MonotonicTime, _ channel: StaticString) {
        self.store.append("{\"t\":")
        self.store.append(self.time(of: time))
        self.store.append(channel)
    }

    private mutating func end(isRepeated: Bool = false) {
        if isRepeated { self.store.append(",\"again\":true") }
        self.store.append("}\n")
    }

    private mutating func field(_ key: StaticString, _ text: String?) {
        guard let text else { return }
        self.store.append(key)
        self.store.append(quoted: text)
    }

    private mutating func field(_ key: StaticString, _ number: Int64?) {
        guard let number else { return }
        self.store.append(key)
        self.store.append(number)
    }

    private mutating func field(_ key: StaticString, _ truth: Bool?) {
        guard let truth else { return }
        self.store.append(key)
        self.store.append(truth ? "true" : "false")
    }

    private mutating func field(_ key: StaticString, _ settings: [String: String]?) {
        guard let settings else { return }
        self.store.append(key)
        self.store.append("{")
        for (index, (name, value)) in settings.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { self.store.append(",") }
            self.store.append(quoted: name)
            self.store.append(":")
            self.store.append(quoted: value)
        }
        self.store.append("}")
    }

    private mutating func field(_ key: StaticString, _ outcome: Outcome?) {
        guard let outcome else { return }
        self.store.append(key)
        self.field("{\"label\":", outcome.label)
        self.field(",\"token\":", outcome.asset.rawValue)
        self.store.append("}")
    }

    private mutating func field(_ key: StaticString, _ market: Market?) {
        guard let market else { return }
        self.store.append(key)
        self.field("{\"id\":", market.id.rawValue)
        self.field(",\"slug\":", market.slug)
        self.field(",\"question\":", market.question)
        self.field(",\"series\":", market.series)
        self.field(",\"start_ms\":", market.window?.start.milliseconds)
        self.field(",\"end_ms\":", market.window?.end.milliseconds)
        self.field(",\"yes\":", market.yes)
        self.field(",\"no\":", market.no)
        self.field(",\"tick_size\":", market.tickSize.description)
        self.field(",\"minimum_size\":", market.minimumOrderSize.description)
        self.field(",\"negative_risk\":", market.negativeRisk)
        self.field(",\"accepting\":", market.acceptingOrders)
        self.field(",\"closed\":", market.closed)
        if let fees = market.fees {
            self.field(",\"fees\":{\"enabled\":", fees.areEnabled)
            self.field(",\"rate_millionths\":", fees.schedule?.rate)
            self.field(",\"exponent_millionths\":", fees.schedule?.exponent)
            self.field(",\"taker_only\":", fees.schedule?.takerOnly)
            self.field(",\"rebate_millionths\":", fees.schedule?.rebateRate)
            self.store.append("}")
        }
        if let settlement = market.settlement {
            self.field(",\"settlement\":{\"symbol\":", settlement.symbol)
            self.field(",\"twap_seconds\":", settlement.lookbackSeconds.map(Int64.init))
            self.field(",\"assumed\":", settlement.isAssumed)
            self.store.append("}")
        }
        self.store.append("}")
    }
}
