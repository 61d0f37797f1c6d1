import OddsCore
import OddsTestSupport
import Testing

/// Whatever comes over the wire, the decoder says what it is and stands.
@Suite struct MalformedFrameTests {
    static let valid = #"{"event_type":"book","asset_id":"1","timestamp":"2","bids":[],"asks":[]}"#

    @Test(
        arguments: [
            ("", FrameFault.syntax), (" ", .syntax), ("{", .syntax), ("[", .syntax), ("{]", .syntax), ("[}", .syntax),
            (#"{"a"}"#, .syntax), (#"{"a":}"#, .syntax), (#"{"a":1,}"#, .syntax), (#"{a:1}"#, .syntax),
            ("[{},]", .syntax),
            (#"{"a":"b}"#, .syntax), (#"{"a":"\"#, .syntax), (valid + "x", .trailingBytes),
            (valid + valid, .trailingBytes),
            ("[\(valid)] 1", .trailingBytes), ("[] []", .trailingBytes), ("1", .notAnObject),
            ("\"PONG\"", .notAnObject),
            ("1 1", .trailingBytes), ("[1]", .notAnObject), ("[[]]", .notAnObject), ("[null]", .notAnObject),
            ("[\(valid),\"x\"]", .notAnObject), (#"{"event_type":"book"}"#, .missingField),
            (#"{"event_type":"book","asset_id":"1","timestamp":"2","bids":[]}"#, .missingField),
            (#"{"event_type":"book","timestamp":"2","bids":[],"asks":[]}"#, .missingField),
            (#"{"event_type":"book","asset_id":"","timestamp":"2","bids":[],"asks":[]}"#, .missingField),
            (#"{"event_type":"book","asset_id":"1","bids":[],"asks":[]}"#, .missingField),
            (#"{"event_type":"book","asset_id":"1","timestamp":"x","bids":[],"asks":[]}"#, .badValue),
            (#"{"event_type":"book","asset_id":"1","timestamp":"-2","bids":[],"asks":[]}"#, .badValue),
            (
                #"{"event_type":"book","asset_id":"1","timestamp":"99999999999999999999","bids":[],"asks":[]}"#,
                .badValue
            ),
            (#"{"event_type":"book","asset_id":"1","timestamp":"7258118400000","bids":[],"asks":[]}"#, .badValue),
            (#"{"event_type":"book","asset_id":"1","timestamp":"9223372036855","bids":[],"asks":[]}"#, .badValue),
            (#"{"event_type":"book","asset_id":"1","timestamp":"2","bids":[["2","1"]],"asks":[]}"#, .badValue),
            (#"{"event_type":"book","asset_id":"1","timestamp":"2","bids":[{"price":"0.5"}],"asks":[]}"#, .badValue),
            (#"{"event_type":"price_change","timestamp":"2"}"#, .missingField),
            (#"{"event_type":"price_change","price_changes":[]}"#, .missingField),
            (
                #"{"event_type":"price_change","timestamp":"2","price_changes":[{"asset_id":"1","price":"0.5","size":"1","side":"HOLD"}]}"#,
                .badValue
            ),
            (
                #"{"event_type":"price_change","timestamp":"2","price_changes":[{"asset_id":"1","price":"0.5","size":"-1","side":"BUY"}]}"#,
                .badValue
            ),
            (
                #"{"event_type":"price_change","timestamp":"2","price_changes":[{"asset_id":"1","price":"0.55555","size":"1","side":"BUY"}]}"#,
                .badValue
            ),
            (
                #"{"event_type":"price_change","timestamp":"2","price_changes":[{"price":"0.5","size":"1","side":"BUY"}]}"#,
                .missingField
            ),
            (#"{"event_type":"last_trade_price","asset_id":"1","timestamp":"2"}"#, .missingField),
            (#"{"event_type":"last_trade_price","asset_id":"1","timestamp":"2","price":"1.5"}"#, .badValue),
            (#"{"event_type":"best_bid_ask","asset_id":"1","timestamp":"2","best_bid":"0.4"}"#, .missingField),
            (#"{"event_type":"tick_size_change","asset_id":"1","timestamp":"2"}"#, .missingField),
            (#"{"event_type":"new_market"}"#, .missingField), (#"{"event_type":"market_resolved"}"#, .missingField),
        ] as [(String, FrameFault)]) func eachFaultHasItsName(text: String, fault: FrameFault)
    {
        #expect(decode(text).fault == fault)
    }

    @Test func aSingleObjectThatIsAtFaultDeliversNothing() throws {
        for name in try WireFixtures.names() {
            let bytes = try WireFixtures.bytes(name)
            guard bytes.first == UInt8(ascii: "{") else { continue }
            for cut in bytes.indices {
                let decoded = TestDecoder().decode(Array(bytes[..<cut]))
                #expect(decoded.fault != nil && decoded.events.isEmpty, "\(name) cut at \(cut)")
            }
        }
    }

    @Test func everyTruncationIsRefusedOrText() throws {
        let decoder = TestDecoder()
        for name in try WireFixtures.names() {
            let bytes = try WireFixtures.bytes(name)
            for cut in bytes.indices {
                let decoded = decoder.decode(Array(bytes[..<cut]))
                if decoded.fault == nil {
                    #expect(name.hasSuffix(".txt"), "\(name) cut at \(cut)")
                    #expect(decoded.events.count == 1)
                }
            }
        }
    }

    /// Every byte of every fixture replaced by a byte that means something in JSON, and by some that do not.
    @Test func everyChangedByteIsSurvived() throws {
        let decoder = TestDecoder()
        var faults = 0
        for name in try WireFixtures.names() {
            let bytes = try WireFixtures.bytes(name)
            for index in bytes.indices {
                var bad = bytes
                for byte in Array(#"{}[]",:\ -.09aeE"#.utf8) + [0x00, 0x1F, 0x7F, 0x80, 0xFF, bytes[index] ^ 1] {
                    bad[index] = byte
                    if decoder.decode(bad).fault != nil { faults += 1 }
                }
            }
        }
        #expect(faults > 1000)
    }

    @Test func removedAndDoubledBytesAreSurvived() throws {
        let decoder = TestDecoder()
        for name in try WireFixtures.names() {
            let bytes = try WireFixtures.bytes(name)
            for index in bytes.indices {
                _ = decoder.decode(Array(bytes[..<index] + bytes[(index + 1)...]))
                _ = decoder.decode(Array(bytes[...index] + bytes[index...]))
            }
            #expect(decoder.decode(bytes).fault == nil, "\(name)")
        }
    }

    @Test func deepNestingIsRefusedNotFollowed() {
        func nested(_ depth: Int) -> String {
            #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(decode(nested(60)).fault == nil)
        #expect(decode(nested(100)).fault == .syntax)
        #expect(decode(nested(200_000)).fault == .syntax)
        #expect(decode(String(repeating: #"{"a":"#, count: 200_000)).fault == .syntax)
        #expect(decode(String(repeating: "[", count: 200_000)).fault == .syntax)
    }

    @Test func anArrayDeliversWhatPrecedesTheFault() {
        let decoded = decode("[\(Self.valid),{\"event_type\":\"book\"}]")
        #expect(decoded.fault == .missingField)
        #expect(decoded.events.count == 1)
    }

    @Test func aFaultLeavesNothingBehindForTheNextFrame() throws {
        let decoder = TestDecoder()
        for name in try WireFixtures.names() {
            let bytes = try WireFixtures.bytes(name)
            let expected = TestDecoder().decode(bytes)
            for bad in [#"{"bids":[{"price":"0.1","size":"1"},"#, #"{"event_type":"book","hash":"x","asset_id":"9""#] {
                #expect(decoder.decode(bad).fault != nil)
                #expect(decoder.decode(bytes) == expected, "\(name)")
            }
        }
    }
}
