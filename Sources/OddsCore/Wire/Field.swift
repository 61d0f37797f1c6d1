/// The fields the decoder looks at, recognised by length and whole words of their bytes.
enum Field: UInt8 {
    case eventType, market, asset, timestamp, hash, bids, asks, priceChanges, price, size, side, bestBid, bestAsk
    case tickSize, oldTickSize, newTickSize, lastTradePrice, feeRate, transactionHash
    case assetsIDs, outcomes, slug, question, conditionID, winningAsset, winningOutcome, error
    case ignored

    static let count = Int(Field.ignored.rawValue)

    @inline(__always)
    init(_ key: WireText) {
        let raw = UnsafeRawPointer(key.start)
        switch key.count {
        case 4:
            switch Self.load4(raw) {
            case Self.hashKey: self = .hash
            case Self.bidsKey, Self.buysKey: self = .bids
            case Self.asksKey: self = .asks
            case Self.sizeKey: self = .size
            case Self.sideKey: self = .side
            case Self.slugKey: self = .slug
            default: self = .ignored
            }
        case 5:
            self =
                key.equals("price")
                ? .price : key.equals("error") ? .error : key.equals("sells") ? .asks : .ignored
        case 6: self = key.equals("market") ? .market : .ignored
        case 7: self = key.equals("changes") ? .priceChanges : .ignored
        case 8:
            switch raw.loadUnaligned(as: UInt64.self).littleEndian {
            case Self.assetIDKey: self = .asset
            case Self.bestBidKey: self = .bestBid
            case Self.bestAskKey: self = .bestAsk
            case Self.outcomesKey: self = .outcomes
            case Self.questionKey: self = .question
            default: self = .ignored
            }
        case 9: self = key.equals("timestamp") ? .timestamp : key.equals("tick_size") ? .tickSize : .ignored
        case 10: self = key.equals("event_type") ? .eventType : key.equals("assets_ids") ? .assetsIDs : .ignored
        case 12: self = key.equals("condition_id") ? .conditionID : key.equals("fee_rate_bps") ? .feeRate : .ignored
        case 13:
            self =
                key.equals("price_changes")
                ? .priceChanges
                : key.equals("old_tick_size") ? .oldTickSize : key.equals("new_tick_size") ? .newTickSize : .ignored
        case 15: self = key.equals("winning_outcome") ? .winningOutcome : .ignored
        case 16:
            self =
                key.equals("last_trade_price")
                ? .lastTradePrice
                : key.equals("transaction_hash")
                    ? .transactionHash : key.equals("winning_asset_id") ? .winningAsset : .ignored
        default: self = .ignored
        }
    }

    /// Fields of the protocol reference that the books have no use for; anything else unknown is counted.
    static func isKnownButUnused(_ key: WireText) -> Bool { Self.unused.contains(key.string) }

    private static let unused: Set<String> = [
        "id", "description", "event_message", "tags", "active", "clob_token_ids", "sports_market_type", "line",
        "game_start_time", "order_price_min_tick_size", "group_item_title", "taker_base_fee", "maker_base_fee",
        "fees_enabled", "fee_schedule", "spread", "min_order_size", "neg_risk", "ticker", "title",
    ]

    @inline(__always)
    private static func load4(_ raw: UnsafeRawPointer) -> UInt32 { raw.loadUnaligned(as: UInt32.self).littleEndian }

    // The keys' bytes as little-endian words; `FieldTests` spells every one of them out.
    private static let hashKey: UInt32 = 0x6873_6168  // "hash"
    private static let bidsKey: UInt32 = 0x7364_6962  // "bids"
    private static let buysKey: UInt32 = 0x7379_7562  // "buys"
    private static let asksKey: UInt32 = 0x736B_7361  // "asks"
    private static let sizeKey: UInt32 = 0x657A_6973  // "size"
    private static let sideKey: UInt32 = 0x6564_6973  // "side"
    private static let slugKey: UInt32 = 0x6775_6C73  // "slug"
    private static let assetIDKey: UInt64 = 0x6469_5F74_6573_7361  // "asset_id"
    private static let bestBidKey: UInt64 = 0x6469_625F_7473_6562  // "best_bid"
    private static let bestAskKey: UInt64 = 0x6B73_615F_7473_6562  // "best_ask"
    private static let outcomesKey: UInt64 = 0x7365_6D6F_6374_756F  // "outcomes"
    private static let questionKey: UInt64 = 0x6E6F_6974_7365_7571  // "question"
}

/// Which fields an object had.
struct FieldSet {
    private var bits: UInt32 = 0
    @inline(__always)
    mutating func insert(_ field: Field) { self.bits |= 1 << UInt32(field.rawValue) }
    @inline(__always)
    func contains(_ field: Field) -> Bool { self.bits & (1 << UInt32(field.rawValue)) != 0 }
}
