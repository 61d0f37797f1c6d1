extension RecordedContent {
    /// What a row says; nil when something that must be there is missing.
    init?(_ row: RecordedRow) {
        if row.kind == .message {
            self = .message(Array(row.message))
            return
        }
        guard let value = RecordedValue(row.line) else { return nil }
        switch row.kind {
        case .message: return nil
        case .connection:
            guard let event = FeedConnectionEvent(value) else { return nil }
            self = .connection(event)
        case .answer:
            guard let exchange = RESTExchange(value, row) else { return nil }
            self = .answer(exchange)
        case .command:
            guard let command = FeedCommand(value) else { return nil }
            self = .command(command)
        case .note:
            guard let note = RecordingNote(value) else { return nil }
            self = .note(note)
        }
    }
}

extension FeedConnectionEvent {
    fileprivate init?(_ value: RecordedValue) {
        switch value["e"]?.text {
        case "connecting": self = .connecting
        case "open": self = .open
        case "closed":
            self = .closed(
                reason: value["reason"]?.text ?? "", byUs: value["by_us"]?.truth ?? false,
                retryAfter: value["retry_after_ns"]?.integer.map { .nanoseconds($0) })
        default: return nil
        }
    }
}

extension RESTExchange {
    fileprivate init?(_ value: RecordedValue, _ row: RecordedRow) {
        guard let service = value["api"]?.text.flatMap(Service.init(rawValue:)), let path = value["q"]?.text else {
            return nil
        }
        let asked = value["a"]?.integer ?? row.time
        let offset = row.received.unixNanoseconds &- row.time
        self.init(
            service: service, path: path,
            asked: ReceiveTime(
                monotonic: MonotonicTime(nanoseconds: asked &- row.shift), unixNanoseconds: asked &+ offset),
            status: value["s"]?.integer.flatMap { Int(exactly: $0) }, body: Array(row.message),
            failure: value["f"]?.text)
    }
}

extension FeedCommand {
    fileprivate init?(_ value: RecordedValue) {
        switch value["e"]?.text {
        case "follow":
            guard let market = value["market"].flatMap(Market.make) else { return nil }
            self = .follow(market)
        case "follow_tokens":
            guard let tokens = value["tokens"]?.list else { return nil }
            self = .followTokens(tokens.compactMap { $0.text.map { AssetID($0) } })
        case "unfollow":
            guard let id = value["id"]?.text else { return nil }
            self = .unfollow(MarketID(id))
        case "resolved":
            guard let market = value["market"].flatMap(Market.make), let time = value["exchange_ms"]?.integer,
                let source = value["by"]?.text.flatMap(ResolutionSource.init(rawValue:))
            else { return nil }
            let winner: Side? =
                switch value["winner"]?.text {
                case "yes": .yes
                case "no": .no
                default: nil
                }
            self = .resolved(
                Resolution(
                    market: market, winner: winner, exchangeTime: Timestamp(milliseconds: time), source: source))
        case "rollover":
            guard let market = value["market"].flatMap(Market.make), let series = value["series"]?.text,
                let boundary = value["boundary_ms"]?.integer
            else { return nil }
            self = .rollover(
                RolloverReceipt(
                    series: series, market: market, previous: value["previous"].flatMap(Market.make),
                    boundary: Timestamp(milliseconds: boundary),
                    firstOddsMilliseconds: value["first_odds_ms"]?.integer))
        case "discovery":
            guard let name = value["name"]?.text else { return nil }
            self = .discovery(name: name, problem: value["problem"]?.text)
        default: return nil
        }
    }
}

extension Market {
    fileprivate static func make(_ value: RecordedValue) -> Market? {
        guard let id = value["id"]?.text, let yes = value["yes"].flatMap(Outcome.init),
            let tickSize = value["tick_size"]?.text.flatMap({ Price($0) }),
            let minimumSize = value["minimum_size"]?.text.flatMap({ Size($0) })
        else { return nil }
        var window: MarketWindow?
        if let start = value["start_ms"]?.integer, let end = value["end_ms"]?.integer {
            window = MarketWindow(start: Timestamp(milliseconds: start), end: Timestamp(milliseconds: end))
        }
        return Market(
            id: MarketID(id), slug: value["slug"]?.text ?? "", question: value["question"]?.text,
            series: value["series"]?.text, window: window, yes: yes, no: value["no"].flatMap(Outcome.init),
            tickSize: tickSize, minimumOrderSize: minimumSize, negativeRisk: value["negative_risk"]?.truth ?? false,
            acceptingOrders: value["accepting"]?.truth ?? true, closed: value["closed"]?.truth ?? false,
            fees: value["fees"].flatMap(MarketFees.init),
            settlement: value["settlement"].flatMap(ReferenceSettlement.init))
    }
}

extension Outcome {
    fileprivate init?(_ value: RecordedValue) {
        guard let label = value["label"]?.text, let token = value["token"]?.text else { return nil }
        self.init(label: label, asset: AssetID(token))
    }
}

extension MarketFees {
    fileprivate init?(_ value: RecordedValue) {
        guard let areEnabled = value["enabled"]?.truth else { return nil }
        var schedule: Schedule?
        if let rate = value["rate_millionths"]?.integer, let exponent = value["exponent_millionths"]?.integer,
            rate >= 0, exponent >= 0
        {
            schedule = Schedule(
                rate: rate, exponent: exponent, takerOnly: value["taker_only"]?.truth,
                rebateRate: value["rebate_millionths"]?.integer)
        }
        self.init(areEnabled: areEnabled, schedule: schedule)
    }
}

extension ReferenceSettlement {
    fileprivate init?(_ value: RecordedValue) {
        guard let symbol = value["symbol"]?.text else { return nil }
        let seconds = value["twap_seconds"]?.integer.flatMap { Int(exactly: $0) }
        self.init(
            symbol: symbol, rule: seconds.map { .twap(lookbackSeconds: $0) } ?? .spot,
            isAssumed: value["assumed"]?.truth ?? false)
    }
}

extension RecordingNote {
    init?(_ value: RecordedValue) {
        switch value["e"]?.text {
        case "start":
            guard value["schema"]?.text == RecordingStart.schema, let anchor = value["anchor_ns"]?.integer,
                let monotonic = value["monotonic_ns"]?.integer
            else { return nil }
            self = .start(
                RecordingStart(
                    run: value["run"]?.text ?? "", file: value["file"]?.integer.flatMap { Int(exactly: $0) } ?? 1,
                    program: value["program"]?.text ?? "",
                    lines: value["lines"]?.integer.flatMap { Int(exactly: $0) } ?? 1,
                    seed: value["seed"]?.text.flatMap { UInt64($0) },
                    renewalInterval: value["renewal_ns"]?.integer.map { .nanoseconds($0) },
                    bot: value["bot"]?.texts,
                    anchor: ReceiveTime(
                        monotonic: MonotonicTime(nanoseconds: monotonic), unixNanoseconds: anchor)))
        case "clock":
            self = .clock(
                RecordingClock(
                    wallOffset: value["wall_offset_ns"]?.integer ?? 0,
                    exchangeOffset: value["exchange_offset_ns"]?.integer))
        case "lost":
            self = .lost(
                RecordingLoss(
                    rows: UInt64(clamping: value["rows"]?.integer ?? 0),
                    bytes: UInt64(clamping: value["bytes"]?.integer ?? 0), until: value["until"]?.integer ?? 0))
        case "end": self = .end
        default: return nil
        }
    }
}
