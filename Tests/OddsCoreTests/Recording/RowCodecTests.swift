import Testing

@testable import OddsCore

@Suite struct RowCodecTests {
    private static let anchor = ReceiveTime(
        monotonic: MonotonicTime(nanoseconds: 1000), unixNanoseconds: 1_777_428_000_000_000_000)

    /// A message written and read again; nil when the row cannot be read.
    private static func roundTrip(_ message: [UInt8]) -> [UInt8]? {
        var encoder = RecordingRowEncoder(anchor: Self.anchor)
        message.withUnsafeBytes {
            encoder.message($0, on: .line(3), connection: 9, at: MonotonicTime(nanoseconds: 1_500))
        }
        guard encoder.bytes.last == 0x0A, !encoder.bytes.dropLast().contains(where: { $0 < 0x20 }) else { return nil }
        var decoder = RecordingRowDecoder()
        let line = Array(encoder.bytes.dropLast())
        return line.withUnsafeBytes { line in
            guard let row = decoder.decode(line), row.kind == .message, row.channel == .line(3), row.connection == 9,
                row.time == 1_777_428_000_000_000_500
            else { return nil }
            return Array(row.message)
        }
    }

    @Test func everyByteComesBackWhereverItStands() {
        for byte in UInt8.min ... .max {
            for length in 0..<20 {
                let message =
                    [UInt8](repeating: 0x61, count: length) + [byte] + [UInt8](repeating: 0x62, count: 19 - length)
                #expect(Self.roundTrip(message) == message, "byte \(byte) at \(length)")
            }
        }
    }

    @Test func anyBytesComeBack() {
        var generator = SplitMix64(seed: 11)
        // Bytes that mean something, invalid UTF-8 among them, are as frequent as all others together.
        let special: [UInt8] = [0x22, 0x5C, 0x00, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xF0, 0xFF, 0x0A, 0x75]
        for _ in 0..<2000 {
            let message = (0..<Int(generator.next() % 70)).map { _ in
                let value = generator.next()
                return value & 1 == 0 ? special[Int(value >> 1) % special.count] : UInt8(truncatingIfNeeded: value >> 8)
            }
            #expect(Self.roundTrip(message) == message)
        }
        // Texts are escaped in parts.
        for length in [16_383, 16_384, 16_385, 100_000] {
            let message = (0..<length).map { _ in special[Int(generator.next() % UInt64(special.count))] }
            #expect(Self.roundTrip(message) == message)
        }
        let text = Array("{\"odds\":\"🎲 ½\",\"a\":\"\\u0000\\\\\"}\n\u{7}".utf8)
        #expect(Self.roundTrip(text) == text)
    }

    /// The message of a row of others.
    private static func message(_ row: String) -> String? {
        var decoder = RecordingRowDecoder()
        return Array(row.utf8).withUnsafeBytes { line in
            decoder.decode(line).map { String(decoding: $0.message, as: UTF8.self) }
        }
    }

    @Test func everyEscapeOfJSONIsRead() {
        #expect(Self.message(#"{"t":1,"m":"\"\\\/\b\f\n\r\t"}"#) == "\"\\/\u{8}\u{C}\n\r\t")
        #expect(Self.message(#"{"t":1,"m":"\u0041\u00e9\u20AC\uD83C\uDFB2"}"#) == "Aé€🎲")
        // A half of a pair stands for nothing.
        #expect(Self.message(#"{"t":1,"m":"\ud83c!"}"#) == "\u{FFFD}!")
        #expect(Self.message(#"{"t":1,"m":"\udfb2\ud83c\u0041"}"#) == "\u{FFFD}\u{FFFD}A")
        #expect(Self.message("{ \"t\" : 1 , \"x\" : [ { } , null ] , \"m\" : \"a\" } ") == "a")
    }

    @Test(arguments: [
        #"{"t":1,"m":"cut"#, #"{"t":1,"m":"\q"}"#, #"{"t":1,"m":"\u12"}"#, #"{"t":1,"m":"a"} b"#, #"{"t":1}"#,
        #"{"t":"1","m":""}"#,
        #"{"t":1,"c":"moon","m":"a"}"#, #"{"t":1,"c":-1,"m":"a"}"#, #"{"t":99999999999999999999,"m":"a"}"#, "hello",
        "{", "[",
        #"{"t":9000000000000000000,"c":"feed"}"#, "",
    ]) func whatIsNoRowIsNone(_ text: String) {
        #expect(Self.message(text) == nil)
    }

    @Test func timesAreToldApartByMagnitude() {
        var decoder = RecordingRowDecoder()
        func time(_ row: String) -> Int64? { Array(row.utf8).withUnsafeBytes { decoder.decode($0)?.time } }
        #expect(time(#"{"t":1777428000123,"m":""}"#) == 1_777_428_000_123_000_000)
        #expect(time(#"{"t":1777428000123456,"m":""}"#) == 1_777_428_000_123_456_000)
        #expect(time(#"{"t":1777428000123456789,"m":""}"#) == 1_777_428_000_123_456_789)
        #expect(time(#"{"event_type":"book"}"#) == 1_777_428_000_123_456_789)
        // Behind the head of a recording every time is in nanoseconds, also in worlds whose time begins at 0.
        let head =
            #"{"t":5,"c":"feed","e":"start","schema":"oddstream.recording/1","anchor_ns":5,"monotonic_ns":3}"#
        #expect(time(head) == 5)
        #expect(time(#"{"t":7,"c":0,"k":1,"m":""}"#) == 7)
        #expect(time(#"{"event_type":"book"}"#) == nil)
    }

    private static let market = Market(
        id: "0xm", slug: "btc-updown-15m-1", question: "Up \"or\" down? 🎲", series: "btc-updown-15m",
        window: MarketWindow(start: Timestamp(seconds: 1), end: Timestamp(seconds: 901)),
        yes: Outcome(label: "Up", asset: "1"), no: Outcome(label: "Down", asset: "2"), tickSize: 0.001,
        minimumOrderSize: 2.5, negativeRisk: true, acceptingOrders: false, closed: true,
        fees: MarketFees(areEnabled: true, schedule: .init(rate: 70_000, takerOnly: nil, rebateRate: 5)),
        settlement: ReferenceSettlement(symbol: "btc/usd", rule: .spot, isAssumed: true))
    private static let bare = Market(id: "0xb", slug: "", yes: Outcome(label: "", asset: "3"), no: nil)

    private static func expectSame(_ a: Market, _ b: Market) {
        #expect(a.id == b.id && a.slug == b.slug && a.question == b.question && a.series == b.series)
        #expect(a.window == b.window && a.yes == b.yes && a.no == b.no && a.tickSize == b.tickSize)
        #expect(a.minimumOrderSize == b.minimumOrderSize && a.negativeRisk == b.negativeRisk)
        #expect(a.acceptingOrders == b.acceptingOrders && a.closed == b.closed && a.fees == b.fees)
        #expect(a.settlement == b.settlement)
    }

    private static func content(_ write: (inout RecordingRowEncoder) -> Void) -> RecordedContent? {
        var encoder = RecordingRowEncoder(anchor: Self.anchor)
        write(&encoder)
        var decoder = RecordingRowDecoder()
        let line = Array(encoder.bytes.dropLast())
        return line.withUnsafeBytes { decoder.decode($0)?.content() }
    }

    @Test func everyCommandComesBack() throws {
        let time = MonotonicTime(nanoseconds: 2000)
        func command(_ command: FeedCommand) throws -> FeedCommand {
            guard case .command(let read) = Self.content({ $0.command(command, at: time) }) else {
                throw MissingCommand()
            }
            return read
        }
        for market in [Self.market, Self.bare] {
            guard case .follow(let read) = try command(.follow(market)) else { throw MissingCommand() }
            Self.expectSame(read, market)
        }
        guard case .followTokens(let tokens) = try command(.followTokens(["1", "2"])) else { throw MissingCommand() }
        #expect(tokens == ["1", "2"])
        guard case .unfollow(let id) = try command(.unfollow("0xm")) else { throw MissingCommand() }
        #expect(id == "0xm")
        for winner in [Side.yes, .no, nil] {
            let resolution = Resolution(
                market: Self.market, winner: winner, exchangeTime: Timestamp(milliseconds: 5), source: .referencePrice)
            guard case .resolved(let read) = try command(.resolved(resolution)) else { throw MissingCommand() }
            Self.expectSame(read.market, Self.market)
            #expect(read.winner == winner && read.exchangeTime.milliseconds == 5 && read.source == .referencePrice)
        }
        for (previous, first) in [(Self.bare, Int64(-300)), (nil, nil)] as [(Market?, Int64?)] {
            let receipt = RolloverReceipt(
                series: "s", market: Self.market, previous: previous, boundary: Timestamp(seconds: 9),
                firstOddsMilliseconds: first)
            guard case .rollover(let read) = try command(.rollover(receipt)) else { throw MissingCommand() }
            Self.expectSame(read.market, Self.market)
            #expect(read.previous?.id == previous?.id && read.firstOddsMilliseconds == first)
            #expect(read.series == "s" && read.boundary == Timestamp(seconds: 9))
        }
        for problem in ["cannot be found", nil] {
            guard case .discovery(let name, let read) = try command(.discovery(name: "n", problem: problem)) else {
                throw MissingCommand()
            }
            #expect(name == "n" && read == problem)
        }
    }

    private struct MissingCommand: Error {}

    @Test func everyNoteComesBack() throws {
        let notes: [RecordingNote] = [
            .start(
                RecordingStart(run: "r", file: 3, program: "1.0", lines: 2, seed: .max, anchor: Self.anchor)),
            .clock(RecordingClock(wallOffset: -5, exchangeOffset: 7)), .clock(RecordingClock(wallOffset: 0)),
            .lost(RecordingLoss(rows: 4, bytes: 5, until: 6)), .end,
        ]
        for note in notes {
            guard case .note(let read) = Self.content({ $0.note(note, at: MonotonicTime(nanoseconds: 1000)) }) else {
                Issue.record("\(note) is not read")
                continue
            }
            #expect(read == note)
        }
    }

    @Test func bodiesThatAreNoTextComeBackToo() throws {
        let exchange = RESTExchange(
            service: .gamma, path: "/markets?slug=a\"b", asked: Self.anchor, status: 502, body: [0xFF, 0x00, 0x22])
        guard
            case .answer(let read) = Self.content({ $0.answer(exchange, at: MonotonicTime(nanoseconds: 3000)) })
        else {
            Issue.record("the answer is not read")
            return
        }
        #expect(read.body == exchange.body && read.path == exchange.path && read.status == 502)
    }

    @Test func clocksAreToldAsTheyWere() {
        var encoder = RecordingRowEncoder(anchor: Self.anchor)
        encoder.note(
            .start(RecordingStart(run: "r", file: 1, program: "", lines: 1, anchor: Self.anchor)),
            at: Self.anchor.monotonic)
        encoder.note(.clock(RecordingClock(wallOffset: 40_000_000)), at: MonotonicTime(nanoseconds: 1500))
        encoder.connection(.open, on: .reference, connection: 0, at: MonotonicTime(nanoseconds: 1600), isRepeated: true)
        var decoder = RecordingRowDecoder()
        var rows: [(ReceiveTime, Bool)] = []
        for line in Array(encoder.bytes).split(separator: 0x0A) {
            Array(line).withUnsafeBytes { line in
                if let row = decoder.decode(line) { rows.append((row.received, row.isRepeated)) }
            }
        }
        #expect(rows.map(\.0.monotonic.nanoseconds) == [1000, 1500, 1600])
        #expect(rows.last?.0.unixNanoseconds == 1_777_428_000_040_000_600)
        #expect(rows.map(\.1) == [false, false, true])
    }
}
