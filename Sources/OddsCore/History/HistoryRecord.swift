/// Something worth keeping.
///
/// Records of orders, spikes, incidents, markets and signals may be given again when more is known: the newer one takes
/// the earlier one's place.
///
/// The values lie behind a reference: whoever queues records moves a few bytes, not hundreds.
public indirect enum HistoryRecord: Hashable, Sendable {
    /// A market, its rollover or its outcome.
    case market(MarketRecord)
    /// A market's odds.
    case odds(OddsPoint)
    /// A spike that began, or is over.
    case spike(SpikeRecord)
    /// Trouble that began, grew or is over.
    case incident(IncidentRecord)
    /// An order and what became of it.
    case trade(TradeRecord)
    /// Shares bought at one price.
    case fill(FillRecord)
    /// A position that was paid out.
    case settlement(SettlementRecord)
    /// A signal that was not acted on.
    case refusal(RefusalRecord)
    /// A reference price.
    case referencePrice(ReferencePriceRecord)
    /// What became of a signal to somebody else.
    case signal(SignalRecord)

    /// What kind of record it is. The raw values are stable: the API, files and commands carry them.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Markets, by the time they were first recorded.
        case market
        /// Odds, by the time they were received.
        case odds
        /// Spikes, by the time they began.
        case spike
        /// Incidents, by the time they began.
        case incident
        /// Orders, by the time they were decided.
        case trade
        /// Fills, by their time.
        case fill
        /// Settlements, by their time.
        case settlement
        /// Refusals, by their time.
        case refusal
        /// Reference prices, by the time they were received.
        case referencePrice = "reference_price"
        /// Signals, by the time they were given.
        case signal

        /// How long one is worth keeping when not all can be: those of the lowest number go first.
        public var importance: Int {
            switch self {
            case .odds: 0
            case .referencePrice: 1
            case .signal: 2
            case .refusal: 3
            case .incident: 4
            case .market: 5
            case .spike: 6
            case .trade, .fill, .settlement: 7
            }
        }
    }

    /// What kind of record it is.
    public var kind: Kind {
        switch self {
        case .market: .market
        case .odds: .odds
        case .spike: .spike
        case .incident: .incident
        case .trade: .trade
        case .fill: .fill
        case .settlement: .settlement
        case .refusal: .refusal
        case .referencePrice: .referencePrice
        case .signal: .signal
        }
    }

    /// The market it is about; nil when it is about none.
    public var market: MarketID? {
        switch self {
        case .market(let record): record.market
        case .odds(let record): record.market
        case .spike(let record): record.market
        case .incident(let record): record.market
        case .trade(let record): record.market
        case .fill(let record): record.market
        case .settlement(let record): record.market
        case .refusal(let record): record.market
        case .referencePrice: nil
        case .signal(let record): record.market
        }
    }

    /// The time it is filed under, in nanoseconds since 1970.
    public var nanoseconds: Int64 {
        switch self {
        case .market(let record): record.seen.nanoseconds
        case .odds(let record): record.receiveTime
        case .spike(let record): record.begin.nanoseconds
        case .incident(let record): record.begin.nanoseconds
        case .trade(let record): record.decided.nanoseconds
        case .fill(let record): record.time.nanoseconds
        case .settlement(let record): record.time.nanoseconds
        case .refusal(let record): record.time.nanoseconds
        case .referencePrice(let record): record.received.nanoseconds
        case .signal(let record): record.time.nanoseconds
        }
    }
}

extension HistoryRecord: Encodable {
    private enum CodingKeys: String, CodingKey { case record }

    /// Writes the keys of the record, and `record`, which says its kind.
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(self.kind, forKey: .record)
        switch self {
        case .market(let record): try record.encode(to: encoder)
        case .odds(let record): try record.encode(to: encoder)
        case .spike(let record): try record.encode(to: encoder)
        case .incident(let record): try record.encode(to: encoder)
        case .trade(let record): try record.encode(to: encoder)
        case .fill(let record): try record.encode(to: encoder)
        case .settlement(let record): try record.encode(to: encoder)
        case .refusal(let record): try record.encode(to: encoder)
        case .referencePrice(let record): try record.encode(to: encoder)
        case .signal(let record): try record.encode(to: encoder)
        }
    }
}

extension Timestamp {
    /// In nanoseconds since 1970, kept within 64 bits.
    var nanoseconds: Int64 {
        let (product, overflow) = self.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? (self.milliseconds < 0 ? .min : .max) : product
    }
}
