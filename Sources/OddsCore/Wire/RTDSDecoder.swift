/// Counts of what a decoder of the live data socket has met.
public struct RTDSCounters: Hashable, Sendable {
    /// Text messages of any kind.
    public var frames: UInt64 = 0
    /// Bytes of them.
    public var bytes: UInt64 = 0
    /// Prices told when they were new.
    public var updates: UInt64 = 0
    /// Histories.
    public var histories: UInt64 = 0
    /// Answers to the text heartbeat.
    public var pongs: UInt64 = 0
    /// Other plain texts.
    public var plainTexts: UInt64 = 0
    /// Messages of another topic or kind.
    public var unknown: UInt64 = 0
    /// Messages that cannot be read, or lack what they must have.
    public var malformed: UInt64 = 0

    /// None yet.
    public init() {}
}

/// What one message of the live data socket says.
public enum RTDSMessage: Hashable, Sendable {
    /// A new price.
    case update(ReferenceTick)
    /// Prices of about the last minute, in the order told. The venue names one topic for all of these histories; which feed
    /// one belongs to is taken from its symbol, and it is only a guess when means of the symbol are subscribed too.
    case history(ReferenceFeed, [ReferenceTick])
    /// The answer to the text heartbeat.
    case pong
    /// Anything else: counted, and of no use.
    case ignored
}

/// Reads the venue's live data socket: JSON objects in which keys and spaces come in any order, and plain texts.
///
/// A message that cannot be read is counted and passed over; one price more or less in a second is found by its stamp.
public struct RTDSDecoder: Sendable {
    /// What has been met.
    public private(set) var counters = RTDSCounters()

    /// A decoder that has met nothing.
    public init() {}

    private struct Payload {
        var symbol: String?
        var timestamp: Int64?
        var value: ReferencePrice?
        /// `full_accuracy_value` read as units of 1e-18 dollars, and as dollars: the topic says which it is.
        var exactUnits: ReferencePrice?
        var exactDollars: ReferencePrice?
        var window: Int?
        var data: [(time: Int64, price: ReferencePrice)]?
    }

    /// Reads one message.
    public mutating func decode(_ text: UnsafeRawBufferPointer) -> RTDSMessage {
        self.counters.frames &+= 1
        self.counters.bytes &+= UInt64(text.count)
        guard text.count > 0 else {
            self.counters.plainTexts &+= 1
            return .ignored
        }
        var cursor = JSONCursor(text)
        guard cursor.peek() == UInt8(ascii: "{") else { return self.plain(text) }
        guard let message = self.message(&cursor) else {
            self.counters.malformed &+= 1
            return .ignored
        }
        switch message {
        case .update: self.counters.updates &+= 1
        case .history: self.counters.histories &+= 1
        case .pong, .ignored: self.counters.unknown &+= 1
        }
        return message
    }

    /// Reads one message.
    public mutating func decode(_ text: [UInt8]) -> RTDSMessage { text.withUnsafeBytes { self.decode($0) } }

    private mutating func plain(_ text: UnsafeRawBufferPointer) -> RTDSMessage {
        let word = String(decoding: text.prefix(8), as: UTF8.self).uppercased()
        if word == "PONG" {
            self.counters.pongs &+= 1
            return .pong
        }
        self.counters.plainTexts &+= 1
        return .ignored
    }

    /// Nil for a message that cannot be read.
    private func message(_ cursor: inout JSONCursor) -> RTDSMessage? {
        var topic: String?
        var type: String?
        var payload: Payload?
        guard cursor.take(UInt8(ascii: "{")) else { return nil }
        if !cursor.take(UInt8(ascii: "}")) {
            repeat {
                guard let key = cursor.takeKey() else { return nil }
                if key.equals("topic"), cursor.peek() == 0x22 {
                    guard let text = cursor.takeString() else { return nil }
                    topic = text.string
                } else if key.equals("type"), cursor.peek() == 0x22 {
                    guard let text = cursor.takeString() else { return nil }
                    type = text.string
                } else if key.equals("payload"), cursor.peek() == UInt8(ascii: "{") {
                    guard let parts = Self.payload(&cursor) else { return nil }
                    payload = parts
                } else {
                    guard cursor.skipValue() else { return nil }
                }
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { return nil }
        }
        cursor.skipSpace()
        guard cursor.atEnd else { return nil }
        guard let topic, let type, let payload else { return .ignored }
        guard let named = ReferenceTopic.allCases.first(where: { $0.wireName == topic }) else { return .ignored }
        guard let symbol = payload.symbol?.lowercased(), !symbol.isEmpty else { return nil }
        let feed = ReferenceFeed(Self.topic(named, symbol: symbol, window: payload.window), symbol)
        switch type {
        case "update": return Self.update(feed, payload)
        case "subscribe": return Self.history(feed, payload)
        default: return .ignored
        }
    }

    /// Histories of every feed come under the topic of Binance: the spelling of the symbol and the length of the mean tell.
    private static func topic(_ named: ReferenceTopic, symbol: String, window: Int?) -> ReferenceTopic {
        if let window, let mean = ReferenceTopic(lookbackSeconds: window) { return mean }
        return named == .binance && symbol.contains("/") ? .chainlink : named
    }

    private static func update(_ feed: ReferenceFeed, _ payload: Payload) -> RTDSMessage? {
        let exact = feed.topic == .binance ? payload.exactDollars : payload.exactUnits ?? payload.exactDollars
        guard let price = exact ?? payload.value, price.rawValue > 0, let time = payload.timestamp else { return nil }
        return .update(
            ReferenceTick(feed, price: price, time: Timestamp(milliseconds: time), isExact: exact != nil))
    }

    private static func history(_ feed: ReferenceFeed, _ payload: Payload) -> RTDSMessage? {
        guard let data = payload.data else { return nil }
        return .history(
            feed,
            data.map {
                ReferenceTick(
                    feed, price: $0.price, time: Timestamp(milliseconds: $0.time), isExact: false, isHistory: true)
            })
    }

    private static func payload(_ cursor: inout JSONCursor) -> Payload? {
        var payload = Payload()
        guard cursor.take(UInt8(ascii: "{")) else { return nil }
        if cursor.take(UInt8(ascii: "}")) { return payload }
        repeat {
            guard let key = cursor.takeKey() else { return nil }
            if key.equals("symbol") {
                guard let text = cursor.takeString() else { return nil }
                payload.symbol = text.string
            } else if key.equals("timestamp") {
                guard let time = Self.time(&cursor) else { return nil }
                payload.timestamp = time
            } else if key.equals("value") {
                guard let price = Self.price(&cursor) else { return nil }
                payload.value = price
            } else if key.equals("full_accuracy_value") {
                guard let text = cursor.takeScalar() else { return nil }
                payload.exactUnits = ReferencePrice.scaled(text.bytes)
                payload.exactDollars = ReferencePrice.decimal(text.bytes)
                guard payload.exactUnits != nil || payload.exactDollars != nil else { return nil }
            } else if key.equals("window_s") {
                payload.window = cursor.takeScalar().flatMap { Int($0.string) }
                guard payload.window != nil else { return nil }
            } else if key.equals("data"), cursor.peek() == UInt8(ascii: "[") {
                guard let data = Self.data(&cursor) else { return nil }
                payload.data = data
            } else {
                guard cursor.skipValue() else { return nil }
            }
        } while cursor.take(UInt8(ascii: ","))
        return cursor.take(UInt8(ascii: "}")) ? payload : nil
    }

    private static func data(_ cursor: inout JSONCursor) -> [(time: Int64, price: ReferencePrice)]? {
        var data: [(time: Int64, price: ReferencePrice)] = []
        guard cursor.take(UInt8(ascii: "[")) else { return nil }
        if cursor.take(UInt8(ascii: "]")) { return data }
        repeat {
            guard let point = Self.payload(&cursor), let time = point.timestamp, let price = point.value else {
                return nil
            }
            data.append((time, price))
        } while cursor.take(UInt8(ascii: ","))
        return cursor.take(UInt8(ascii: "]")) ? data : nil
    }

    private static func time(_ cursor: inout JSONCursor) -> Int64? {
        // A stamp before 1970 or beyond the year 5000 is none.
        guard let time = cursor.takeDecimal(fractionDigits: 0), time > 0, time < 100_000_000_000_000 else { return nil }
        return time
    }

    /// A decimal in dollars, or whole units of 1e-18 dollars: sixteen digits and more without a point are no dollars.
    private static func price(_ cursor: inout JSONCursor) -> ReferencePrice? {
        guard let text = cursor.takeScalar() else { return nil }
        let isScaled = text.count >= 16 && text.bytes.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        let price = isScaled ? ReferencePrice.scaled(text.bytes) : ReferencePrice.decimal(text.bytes)
        guard let price, price.rawValue > 0 else { return nil }
        return price
    }
}
