/// Reads the market channel's frames where they lie: no copy, and no allocation once its scratch space has grown.
///
/// A frame is an object, an array of objects, or plain text. Key order and spacing vary; the event type often comes
/// last, so an object's fields are collected in one walk and judged at its end. Unknown events go to the handler,
/// unknown fields are counted, and a frame that cannot be read is reported with what is wrong with it.
/// Events of an array that precede the fault have been delivered by then.
public struct MarketFrameDecoder: ~Copyable {
    /// Fields that no known event has, since the decoder was made.
    public private(set) var unknownFields: UInt64 = 0

    private var bids = Scratch<Level>(capacity: 256)
    private var asks = Scratch<Level>(capacity: 256)
    private var changes = Scratch<WirePriceChange>(capacity: 32)
    private var assets = Scratch<WireText>(capacity: 8)
    private var outcomes = Scratch<WireText>(capacity: 8)
    /// What is wrong with a list of the object at hand; meaningful while its set of fields says so with `ignored`.
    private var listFault = FrameFault.badValue
    private let fields = UnsafeMutablePointer<WireText>.allocate(capacity: Field.count)

    /// A decoder with empty scratch space.
    public init() {}

    deinit { self.fields.deallocate() }

    /// Decodes one frame and hands its events to the handler, in order.
    ///
    /// - Throws: what is wrong with the frame. Nothing after the fault is delivered.
    public mutating func decode<Handler: MarketEventHandler>(
        _ frame: UnsafeRawBufferPointer, into handler: inout Handler
    ) throws(FrameFault) {
        guard frame.count > 0 else { throw .syntax }
        var cursor = JSONCursor(frame)
        switch cursor.peek() {
        case UInt8(ascii: "{"):
            let seen = try self.collect(&cursor)
            cursor.skipSpace()
            guard cursor.atEnd else { throw .trailingBytes }
            try self.deliver(seen, to: &handler)
        case UInt8(ascii: "["):
            cursor.p += 1
            if !cursor.take(UInt8(ascii: "]")) {
                repeat {
                    guard cursor.peek() == UInt8(ascii: "{") else {
                        throw cursor.skipValue() ? .notAnObject : .syntax
                    }
                    try self.deliver(try self.collect(&cursor), to: &handler)
                } while cursor.take(UInt8(ascii: ","))
                guard cursor.take(UInt8(ascii: "]")) else { throw .syntax }
            }
            cursor.skipSpace()
            guard cursor.atEnd else { throw .trailingBytes }
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            handler.plainText(
                WireText(
                    start: frame.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self), count: frame.count))
        default:
            guard cursor.skipValue() else { throw .syntax }
            cursor.skipSpace()
            throw cursor.atEnd ? .notAnObject : .trailingBytes
        }
    }

    // MARK: One walk over an object

    /// Collects an object's fields; the result says which are there.
    @inline(__always)
    private mutating func collect(_ cursor: inout JSONCursor) throws(FrameFault) -> FieldSet {
        var seen = FieldSet()
        guard cursor.take(UInt8(ascii: "{")) else { throw .syntax }
        if cursor.take(UInt8(ascii: "}")) { return seen }
        repeat {
            guard let key = cursor.takeKey() else { throw .syntax }
            let field = Field(key)
            switch field {
            case .priceChanges:
                let start = cursor.p
                do throws(FrameFault) {
                    try self.collectChanges(&cursor)
                } catch {
                    try self.postpone(error, &cursor, from: start, &seen)
                }
            case .bids:
                let start = cursor.p
                do throws(FrameFault) {
                    try Self.collectLevels(&cursor, into: &self.bids)
                } catch {
                    try self.postpone(error, &cursor, from: start, &seen)
                }
            case .asks:
                let start = cursor.p
                do throws(FrameFault) {
                    try Self.collectLevels(&cursor, into: &self.asks)
                } catch {
                    try self.postpone(error, &cursor, from: start, &seen)
                }
            case .assetsIDs:
                guard try Self.collectTexts(&cursor, into: &self.assets) else { continue }
            case .outcomes:
                guard try Self.collectTexts(&cursor, into: &self.outcomes) else { continue }
            case .ignored:
                guard cursor.skipValue() else { throw .syntax }
                if !Field.isKnownButUnused(key) { self.unknownFields &+= 1 }
                continue
            default:
                let next = cursor.peek()
                if next == UInt8(ascii: "{") || next == UInt8(ascii: "[") {
                    guard cursor.skipValue() else { throw .syntax }
                    continue
                }
                guard let text = cursor.takeScalar() else { throw .syntax }
                if next != 0x22, text.equals("null") { continue }
                self.fields[Int(field.rawValue)] = text
            }
            seen.insert(field)
        } while cursor.take(UInt8(ascii: ","))
        guard cursor.take(UInt8(ascii: "}")) else { throw .syntax }
        return seen
    }

    /// A list that is JSON but no list of levels or entries is the fault of a `book` or a `price_change` only: which
    /// event it belongs to is not known yet, and an event that is not known here may mean something else by the word.
    @inline(never)
    private mutating func postpone(
        _ fault: FrameFault, _ cursor: inout JSONCursor, from start: UnsafePointer<UInt8>, _ seen: inout FieldSet
    ) throws(FrameFault) {
        cursor.p = start
        guard cursor.skipValue() else { throw .syntax }
        if !seen.contains(.ignored) { self.listFault = fault }
        seen.insert(.ignored)
    }

    @inline(__always)
    private mutating func collectChanges(_ cursor: inout JSONCursor) throws(FrameFault) {
        self.changes.removeAll()
        guard cursor.take(UInt8(ascii: "[")) else { throw .badValue }
        if cursor.take(UInt8(ascii: "]")) { return }
        repeat {
            var asset: WireText?
            var hash: WireText?
            var price: Price?
            var size: Size?
            var side: BookSideKind?
            var bestBid: Price?
            var bestAsk: Price?
            guard cursor.take(UInt8(ascii: "{")) else { throw .syntax }
            repeat {
                guard let key = cursor.takeKey() else { throw .syntax }
                switch Field(key) {
                case .asset: asset = try Self.takeOptionalText(&cursor)
                case .hash: hash = try Self.takeOptionalText(&cursor)
                case .price:
                    guard let value = Self.takePrice(&cursor) else { throw .badValue }
                    price = value
                case .size:
                    guard let value = cursor.takeDecimal(fractionDigits: 6) else { throw .badValue }
                    size = Size(unchecked: value)
                case .side:
                    guard let value = Self.side(cursor.takeString()) else { throw .badValue }
                    side = value
                case .bestBid: bestBid = try Self.takeOptionalPrice(&cursor)
                case .bestAsk: bestAsk = try Self.takeOptionalPrice(&cursor)
                default:
                    guard cursor.skipValue() else { throw .syntax }
                    if !Field.isKnownButUnused(key) { self.unknownFields &+= 1 }
                }
            } while cursor.take(UInt8(ascii: ","))
            guard cursor.take(UInt8(ascii: "}")) else { throw .syntax }
            guard let price, let size, let side else { throw .missingField }
            // The old `changes` form names its token once, on the event; `deliver` fills it in.
            self.changes.append(
                WirePriceChange(
                    asset: asset ?? WireText(start: cursor.p, count: 0), price: price, size: size, side: side,
                    hash: hash.flatMap { $0.count > 0 ? $0 : nil }, bestBid: bestBid, bestAsk: bestAsk))
        } while cursor.take(UInt8(ascii: ","))
        guard cursor.take(UInt8(ascii: "]")) else { throw .syntax }
    }

    /// Levels as objects or as `[price, size]` pairs, in any order.
    private static func collectLevels(
        _ cursor: inout JSONCursor, into levels: inout Scratch<Level>
    ) throws(FrameFault) {
        levels.removeAll()
        guard cursor.take(UInt8(ascii: "[")) else { throw .badValue }
        if cursor.take(UInt8(ascii: "]")) { return }
        repeat {
            var price: Price?
            var size: Int64?
            if cursor.take(UInt8(ascii: "{")) {
                repeat {
                    guard let key = cursor.takeKey() else { throw .syntax }
                    switch Field(key) {
                    case .price: price = Self.takePrice(&cursor)
                    case .size: size = cursor.takeDecimal(fractionDigits: 6)
                    default: guard cursor.skipValue() else { throw .syntax }
                    }
                } while cursor.take(UInt8(ascii: ","))
                guard let price, let size else { throw .badValue }
                guard cursor.take(UInt8(ascii: "}")) else { throw .syntax }
                levels.append(Level(price: price, size: Size(unchecked: size)))
            } else {
                guard cursor.take(UInt8(ascii: "[")) else { throw .syntax }
                price = Self.takePrice(&cursor)
                guard let price, cursor.take(UInt8(ascii: ",")), let size = cursor.takeDecimal(fractionDigits: 6)
                else { throw .badValue }
                guard cursor.take(UInt8(ascii: "]")) else { throw .syntax }
                levels.append(Level(price: price, size: Size(unchecked: size)))
            }
        } while cursor.take(UInt8(ascii: ","))
        guard cursor.take(UInt8(ascii: "]")) else { throw .syntax }
    }

    /// A list of strings; false when the value is something else that is well formed.
    private static func collectTexts(
        _ cursor: inout JSONCursor, into texts: inout Scratch<WireText>
    ) throws(FrameFault) -> Bool {
        texts.removeAll()
        guard cursor.peek() == UInt8(ascii: "[") else {
            guard cursor.skipValue() else { throw .syntax }
            return false
        }
        let start = cursor.p
        cursor.p += 1
        if cursor.take(UInt8(ascii: "]")) { return true }
        repeat {
            guard let text = cursor.takeScalar() else {
                cursor.p = start
                guard cursor.skipValue() else { throw .syntax }
                return false
            }
            texts.append(text)
        } while cursor.take(UInt8(ascii: ","))
        guard cursor.take(UInt8(ascii: "]")) else { throw .syntax }
        return true
    }

    // MARK: Values

    @inline(__always)
    private static func takePrice(_ cursor: inout JSONCursor) -> Price? {
        guard let scaled = cursor.takeDecimal(fractionDigits: 4), scaled <= 10_000 else { return nil }
        return Price(unchecked: Int32(truncatingIfNeeded: scaled))
    }

    /// A text: absent when null.
    @inline(__always)
    private static func takeOptionalText(_ cursor: inout JSONCursor) throws(FrameFault) -> WireText? {
        let quoted = cursor.peek() == 0x22
        guard let text = cursor.takeScalar() else { throw .syntax }
        return !quoted && text.equals("null") ? nil : text
    }

    /// A best price: absent when empty or null.
    @inline(__always)
    private static func takeOptionalPrice(_ cursor: inout JSONCursor) throws(FrameFault) -> Price? {
        guard let text = cursor.takeScalar() else { throw .syntax }
        return try Self.optionalPrice(text)
    }

    @inline(__always)
    private static func optionalPrice(_ text: WireText) throws(FrameFault) -> Price? {
        if text.count == 0 || text.equals("null") { return nil }
        guard let price = Price(utf8: text.bytes) else { throw .badValue }
        return price
    }

    @inline(__always)
    private static func side(_ text: WireText?) -> BookSideKind? {
        guard let text else { return nil }
        if text.equals("BUY") { return .bids }
        if text.equals("SELL") { return .asks }
        switch text.string.uppercased() {
        case "BUY": return .bids
        case "SELL": return .asks
        default: return nil
        }
    }

    @inline(__always)
    private func text(_ field: Field, _ seen: FieldSet) -> WireText? {
        guard seen.contains(field) else { return nil }
        let text = self.fields[Int(field.rawValue)]
        return text.count > 0 ? text : nil
    }

    @inline(__always)
    private func needed(_ field: Field, _ seen: FieldSet) throws(FrameFault) -> WireText {
        guard let text = self.text(field, seen) else { throw .missingField }
        return text
    }

    @inline(__always)
    private func price(_ field: Field, _ seen: FieldSet) throws(FrameFault) -> Price? {
        guard let text = self.text(field, seen) else { return nil }
        return try Self.optionalPrice(text)
    }

    /// From 1970 to 2200: what else may follow fits into 64 bits of nanoseconds.
    private static let stamps: Range<Int64> = 0..<7_258_118_400_000

    @inline(__always)
    private func timestamp(_ seen: FieldSet) throws(FrameFault) -> Timestamp? {
        guard let text = self.text(.timestamp, seen) else { return nil }
        guard let milliseconds = Decimals.parse(text.bytes, fractionDigits: 0),
            Self.stamps.contains(milliseconds)
        else { throw .badValue }
        return Timestamp(milliseconds: milliseconds)
    }

    @inline(__always)
    private func neededTimestamp(_ seen: FieldSet) throws(FrameFault) -> Timestamp {
        guard let timestamp = try self.timestamp(seen) else { throw .missingField }
        return timestamp
    }

    // MARK: Judging an object

    @inline(__always)
    private mutating func deliver<Handler: MarketEventHandler>(
        _ seen: FieldSet, to handler: inout Handler
    ) throws(FrameFault) {
        guard let type = self.text(.eventType, seen) else {
            handler.unknownEvent(type: nil, error: self.text(.error, seen))
            return
        }
        if type.equals("price_change") {
            try self.deliverPriceChange(seen, to: &handler)
        } else if type.equals("book") {
            try self.deliverBook(seen, to: &handler)
        } else {
            try self.deliverOther(type, seen, to: &handler)
        }
    }

    @inline(__always)
    private mutating func deliverPriceChange<Handler: MarketEventHandler>(
        _ seen: FieldSet, to handler: inout Handler
    ) throws(FrameFault) {
        if seen.contains(.ignored) { throw self.listFault }
        let timestamp = try self.neededTimestamp(seen)
        if !seen.contains(.priceChanges) {
            // 2024: the single level stands flat on the event.
            guard let price = try self.price(.price, seen), let side = Self.side(self.text(.side, seen)) else {
                throw .missingField
            }
            guard let size = Size(utf8: try self.needed(.size, seen).bytes) else { throw .badValue }
            self.changes.removeAll()
            self.changes.append(
                WirePriceChange(
                    asset: try self.needed(.asset, seen), price: price, size: size, side: side,
                    hash: self.text(.hash, seen), bestBid: try self.price(.bestBid, seen),
                    bestAsk: try self.price(.bestAsk, seen)))
        } else {
            for index in 0..<self.changes.count where self.changes[index].asset.count == 0 {
                // Until September 2025: one token per event, named on the event together with its hash.
                let change = self.changes[index]
                self.changes[index] = WirePriceChange(
                    asset: try self.needed(.asset, seen), price: change.price, size: change.size, side: change.side,
                    hash: change.hash ?? self.text(.hash, seen), bestBid: change.bestBid, bestAsk: change.bestAsk)
            }
        }
        handler.priceChanges(
            market: self.text(.market, seen), timestamp: timestamp, entries: self.changes.elements)
    }

    private mutating func deliverBook<Handler: MarketEventHandler>(
        _ seen: FieldSet, to handler: inout Handler
    ) throws(FrameFault) {
        if seen.contains(.ignored) { throw self.listFault }
        guard seen.contains(.bids), seen.contains(.asks) else { throw .missingField }
        handler.book(
            WireBook(
                market: self.text(.market, seen), asset: try self.needed(.asset, seen),
                timestamp: try self.neededTimestamp(seen), hash: self.text(.hash, seen),
                tickSize: try self.price(.tickSize, seen), lastTradePrice: try self.price(.lastTradePrice, seen),
                tellsLastTrade: seen.contains(.lastTradePrice),
                bids: self.bids.elements, asks: self.asks.elements))
    }

    private mutating func deliverOther<Handler: MarketEventHandler>(
        _ type: WireText, _ seen: FieldSet, to handler: inout Handler
    ) throws(FrameFault) {
        if type.equals("last_trade_price") {
            guard let price = try self.price(.price, seen) else { throw .missingField }
            let size: Size? =
                if let text = self.text(.size, seen) {
                    if let value = Size(utf8: text.bytes) { value } else { throw FrameFault.badValue }
                } else { nil }
            handler.trade(
                WireTrade(
                    market: self.text(.market, seen), asset: try self.needed(.asset, seen), price: price, size: size,
                    takerSide: Self.side(self.text(.side, seen)),
                    feeRateBasisPoints: self.text(.feeRate, seen).flatMap {
                        Decimals.parse($0.bytes, fractionDigits: 0)
                    },
                    timestamp: try self.neededTimestamp(seen), transactionHash: self.text(.transactionHash, seen)))
        } else if type.equals("best_bid_ask") {
            guard let bid = try self.price(.bestBid, seen), let ask = try self.price(.bestAsk, seen) else {
                throw .missingField
            }
            handler.bestBidAsk(
                WireBestBidAsk(
                    market: self.text(.market, seen), asset: try self.needed(.asset, seen), bestBid: bid, bestAsk: ask,
                    timestamp: try self.neededTimestamp(seen)))
        } else if type.equals("tick_size_change") {
            guard let new = try self.price(.newTickSize, seen) else { throw .missingField }
            handler.tickSizeChange(
                WireTickSizeChange(
                    market: self.text(.market, seen), asset: try self.needed(.asset, seen),
                    oldTickSize: try self.price(.oldTickSize, seen), newTickSize: new,
                    timestamp: try self.neededTimestamp(seen)))
        } else if type.equals("new_market") {
            if !seen.contains(.assetsIDs) { self.assets.removeAll() }
            if !seen.contains(.outcomes) { self.outcomes.removeAll() }
            handler.newMarket(
                WireNewMarket(
                    market: try self.marketName(seen), slug: self.text(.slug, seen),
                    question: self.text(.question, seen), assets: self.assets.elements,
                    outcomes: self.outcomes.elements, timestamp: try self.timestamp(seen)))
        } else if type.equals("market_resolved") {
            handler.marketResolved(
                WireMarketResolved(
                    market: try self.marketName(seen), winningAsset: self.text(.winningAsset, seen),
                    winningOutcome: self.text(.winningOutcome, seen), timestamp: try self.timestamp(seen)))
        } else {
            handler.unknownEvent(type: type, error: self.text(.error, seen))
        }
    }

    private func marketName(_ seen: FieldSet) throws(FrameFault) -> WireText {
        if let market = self.text(.market, seen) { return market }
        return try self.needed(.conditionID, seen)
    }
}

/// A growing list whose memory is kept between frames.
private struct Scratch<Element: BitwiseCopyable>: ~Copyable {
    private var memory: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.memory = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { self.memory.deallocate() }

    @inline(__always)
    mutating func append(_ element: Element) {
        if self.count == self.capacity { self.grow() }
        (self.memory + self.count).initialize(to: element)
        self.count &+= 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: self.capacity * 2)
        larger.initialize(from: self.memory, count: self.count)
        self.memory.deallocate()
        self.memory = larger
        self.capacity *= 2
    }

    @inline(__always)
    mutating func removeAll() { self.count = 0 }

    @inline(__always)
    subscript(index: Int) -> Element {
        get { self.memory[index] }
        set { self.memory[index] = newValue }
    }

    /// The elements; valid until the list changes.
    @inline(__always)
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: self.memory, count: self.count) }
}
