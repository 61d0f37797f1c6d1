import Testing

@testable import OddsCore

/// Every key is recognised by its bytes, and nothing that only looks like it.
@Suite struct FieldTests {
    static let keys: [(String, Field)] = [
        ("event_type", .eventType), ("market", .market), ("asset_id", .asset), ("timestamp", .timestamp),
        ("hash", .hash), ("bids", .bids), ("buys", .bids), ("asks", .asks), ("sells", .asks),
        ("price_changes", .priceChanges), ("changes", .priceChanges), ("price", .price), ("size", .size),
        ("side", .side), ("best_bid", .bestBid), ("best_ask", .bestAsk), ("tick_size", .tickSize),
        ("old_tick_size", .oldTickSize), ("new_tick_size", .newTickSize), ("last_trade_price", .lastTradePrice),
        ("fee_rate_bps", .feeRate), ("transaction_hash", .transactionHash), ("assets_ids", .assetsIDs),
        ("outcomes", .outcomes), ("slug", .slug), ("question", .question), ("condition_id", .conditionID),
        ("winning_asset_id", .winningAsset), ("winning_outcome", .winningOutcome), ("error", .error),
    ]

    private func field(_ key: String) -> Field {
        var key = key + "\""  // as in a frame: the key is never the last byte
        return key.withUTF8 { Field(WireText(start: $0.baseAddress.unsafelyUnwrapped, count: $0.count - 1)) }
    }

    @Test func everyKeyIsRecognised() {
        for (key, field) in Self.keys { #expect(self.field(key) == field, "\(key)") }
        #expect(Set(Self.keys.map(\.1.rawValue)).count == Field.count)
    }

    @Test func nearMissesAreNot() {
        let known = Set(Self.keys.map(\.0))
        for (key, _) in Self.keys {
            let bytes = Array(key.utf8)
            var misses = [key + "s", "_" + key, String(key.dropLast()), String(key.dropFirst())]
            for index in bytes.indices {
                for change: UInt8 in [0x01, 0x20, 0x80] {
                    var bad = bytes
                    bad[index] ^= change
                    misses.append(String(decoding: bad, as: UTF8.self))
                }
            }
            for miss in misses where !known.contains(miss) { #expect(self.field(miss) == .ignored, "\(miss)") }
        }
        #expect(self.field("") == .ignored)
    }

    @Test func everyFieldFitsTheSet() {
        var set = FieldSet()
        for raw in 0...UInt8(Field.count) {
            guard let field = Field(rawValue: raw) else { continue }
            #expect(!set.contains(field))
            set.insert(field)
            #expect(set.contains(field))
        }
    }
}
