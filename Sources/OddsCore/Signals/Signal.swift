/// Something that another program may want to act on, as it is told to every sink.
///
/// Encoded it is the body that receivers get: an object with `version` (1), `id`, `kind`, `time_ms` (Unix milliseconds),
/// `market` (condition id), `slug`, `side` (`yes`, `no`), `epoch` and `trust` (under which it was decided), `data` (the
/// record itself), `odds` (the market's odds at that moment, with the keys of `/v1/odds`) and `microstructure` (what its
/// books and trades looked like, as in `/v1/odds/{market}`). What is absent is null.
public struct Signal: Sendable, Encodable {
    /// The record that the signal is about.
    public enum Payload: Sendable, Hashable {
        /// `data` is an item of `/v1/spikes`.
        case spike(SpikeRecord)
        /// `data` is an item of `/v1/trades`.
        case trade(TradeRecord)
        /// `data` is an item of `/v1/refusals`.
        case refusal(RefusalRecord)
        /// `data` is `{"on":…,"by":…}`.
        case killSwitch(KillSwitchRecord)
    }

    /// Names the signal: the same in every attempt and at every sink, never used again, also not after a restart. A
    /// receiver that has seen it need not act again.
    public let id: String
    /// What happened.
    public let kind: Kind
    /// When, by this machine's wall clock.
    public let time: Timestamp
    /// The record.
    public let payload: Payload
    /// The market's odds at that moment; nil when there are none.
    public let odds: OddsSnapshot?
    /// What the market's books and trades looked like then, a quarter of a second old at most; nil when that is not known.
    public let microstructure: MicrostructureRow?

    /// A signal about a spike: `spike.began` while it lasts, `spike.ended` when it has an end.
    public init(
        id: String, time: Timestamp, spike: SpikeRecord, odds: OddsSnapshot? = nil,
        microstructure: MicrostructureRow? = nil
    ) {
        self.init(
            id: id, kind: Kind(of: spike), time: time, payload: .spike(spike), odds: odds,
            microstructure: microstructure)
    }

    /// A signal about an order: `order.submitted`, `order.filled`, `order.failed` or `position.settled`, by its status.
    public init(
        id: String, time: Timestamp, trade: TradeRecord, odds: OddsSnapshot? = nil,
        microstructure: MicrostructureRow? = nil
    ) {
        self.init(
            id: id, kind: Kind(of: trade), time: time, payload: .trade(trade), odds: odds,
            microstructure: microstructure)
    }

    /// A signal about something that was not acted on.
    public init(
        id: String, refusal: RefusalRecord, odds: OddsSnapshot? = nil, microstructure: MicrostructureRow? = nil
    ) {
        self.init(
            id: id, kind: .orderRefused, time: refusal.time, payload: .refusal(refusal), odds: odds,
            microstructure: microstructure)
    }

    /// A signal about the kill switch. `origin` is who turned it: `file`, `http`, `signal`; nil when that is not known.
    public init(id: String, time: Timestamp, killSwitch isOn: Bool, by origin: String?) {
        self.init(
            id: id, kind: .killSwitch, time: time, payload: .killSwitch(KillSwitchRecord(isOn: isOn, by: origin)),
            odds: nil, microstructure: nil)
    }

    private init(
        id: String, kind: Kind, time: Timestamp, payload: Payload, odds: OddsSnapshot?,
        microstructure: MicrostructureRow?
    ) {
        self.id = id
        self.kind = kind
        self.time = time
        self.payload = payload
        self.odds = odds
        self.microstructure = microstructure
    }

    /// The market it is about; nil for the kill switch.
    public var market: MarketID? {
        switch self.payload {
        case .spike(let spike): spike.market
        case .trade(let trade): trade.market
        case .refusal(let refusal): refusal.market
        case .killSwitch: nil
        }
    }

    /// The market's readable name; nil for the kill switch.
    public var slug: String? {
        switch self.payload {
        case .spike(let spike): spike.slug
        case .trade(let trade): trade.slug
        case .refusal(let refusal): refusal.slug
        case .killSwitch: nil
        }
    }

    /// The side it is about; nil for the kill switch.
    public var side: Side? {
        switch self.payload {
        case .spike(let spike): spike.side
        case .trade(let trade): trade.side
        case .refusal(let refusal): refusal.side
        case .killSwitch: nil
        }
    }

    /// The market's epoch that it was decided under; nil when that is not known.
    public var epoch: UInt64? {
        switch self.payload {
        case .spike(let spike): spike.epoch
        case .trade(let trade): trade.epoch
        case .refusal, .killSwitch: self.odds?.epoch
        }
    }

    /// The name of how far the odds could be believed; nil when that is not known.
    public var trust: String? {
        switch self.payload {
        case .spike(let spike): spike.trust
        case .trade, .refusal, .killSwitch: self.odds?.trust.name
        }
    }

    private enum CodingKeys: String, CodingKey {
        case version, id, kind
        case time = "time_ms"
        case market, slug, side, epoch, trust, data, odds, microstructure
    }

    /// Writes every key; what is absent is null.
    public func encode(to encoder: any Encoder) throws {
        var body = encoder.container(keyedBy: CodingKeys.self)
        try body.encode(1, forKey: .version)
        try body.encode(self.id, forKey: .id)
        try body.encode(self.kind, forKey: .kind)
        try body.encode(self.time, forKey: .time)
        try body.encode(self.market, forKey: .market)
        try body.encode(self.slug, forKey: .slug)
        try body.encode(self.side, forKey: .side)
        try body.encode(self.epoch, forKey: .epoch)
        try body.encode(self.trust, forKey: .trust)
        switch self.payload {
        case .spike(let spike): try body.encode(spike, forKey: .data)
        case .trade(let trade): try body.encode(trade, forKey: .data)
        case .refusal(let refusal): try body.encode(refusal, forKey: .data)
        case .killSwitch(let record): try body.encode(record, forKey: .data)
        }
        try body.encode(self.odds.map { OddsRow($0) }, forKey: .odds)
        try body.encode(self.microstructure, forKey: .microstructure)
    }
}

/// The kill switch as a signal tells it.
public struct KillSwitchRecord: Hashable, Sendable, Codable {
    /// Whether it is on: nothing is bought.
    public var isOn: Bool
    /// Who turned it: `file`, `http`, `signal`; nil when that is not known.
    @NullWhenAbsent public var by: String?

    /// A record from its parts.
    public init(isOn: Bool, by: String?) {
        self.isOn = isOn
        self.by = by
    }

    private enum CodingKeys: String, CodingKey {
        case isOn = "on"
        case by
    }
}

/// Gives the signals of one run their ids.
public struct SignalNumbering: Sendable {
    /// Names the run: no other run has it.
    public let run: String
    private var last: UInt64 = 0

    /// Numbers of a run, from 1.
    public init(run: String) { self.run = run }

    /// The next id: the run and a number, such as `7c0f3a-12`.
    public mutating func next() -> String {
        self.last += 1
        return "\(self.run)-\(self.last)"
    }
}
