internal import OddsCore

/// Changes frames where they lie, however they are spelled: those of the engine and those of a tape.
enum FrameSurgery {
    private static let quote = UInt8(ascii: "\"")

    // MARK: Leaving assets out

    /// The frame without what it tells of some assets; nil when nothing is left.
    static func removing(_ isGone: (String) -> Bool, from frame: [UInt8]) -> [UInt8]? {
        guard frame.first == UInt8(ascii: "[") else { return Self.removing(isGone, fromObject: frame[...]) }
        let kept = Self.elements(of: frame, from: 0).compactMap { Self.removing(isGone, fromObject: frame[$0]) }
        guard !kept.isEmpty else { return nil }
        var array: [UInt8] = []
        for element in kept {
            array.append(UInt8(ascii: array.isEmpty ? "[" : ","))
            array += element
        }
        return array + [UInt8(ascii: "]")]
    }

    private static func removing(_ isGone: (String) -> Bool, fromObject object: ArraySlice<UInt8>) -> [UInt8]? {
        let object = Array(object)
        guard let list = Self.value(of: "price_changes", in: object, from: 0), object[list] == UInt8(ascii: "[") else {
            guard let asset = Self.text(of: "asset_id", in: object, from: 0) else { return object }
            return isGone(asset) ? nil : object
        }
        let entries = Self.elements(of: object, from: list)
        let kept = entries.filter { entry in
            Self.text(of: "asset_id", in: object, from: entry.lowerBound).map { !isGone($0) } ?? true
        }
        guard kept.count < entries.count else { return object }
        guard !kept.isEmpty, let end = entries.last?.upperBound else { return nil }
        var rest = Array(object[...list])
        for entry in kept {
            if entry != kept.first { rest += Array(", ".utf8) }
            rest += object[entry]
        }
        return rest + object[end...]
    }

    /// Where the elements of an array lie whose bracket is at `start`.
    private static func elements(of bytes: [UInt8], from start: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var depth = 0
        var isText = false
        var begin: Int?
        var index = start + 1
        while index < bytes.count {
            let byte = bytes[index]
            if isText {
                if byte == UInt8(ascii: "\\") { index += 1 } else if byte == Self.quote { isText = false }
            } else {
                switch byte {
                case Self.quote: isText = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth < 0 {
                        if let begin { ranges.append(begin..<index) }
                        return ranges
                    }
                case UInt8(ascii: ",") where depth == 0:
                    if let begin { ranges.append(begin..<index) }
                    begin = nil
                    index += 1
                    continue
                default: break
                }
                if begin == nil, byte != 0x20 { begin = index }
            }
            index += 1
        }
        return ranges
    }

    // MARK: Spoiling

    /// The frame with every hash changed and everything else as it is.
    static func withWrongHashes(_ frame: [UInt8]) -> [UInt8] {
        var frame = frame
        for range in Self.texts(of: "hash", in: frame) {
            // Each hexadecimal digit becomes another one.
            for index in range { frame[index] = Self.rotated(frame[index]) }
        }
        return frame
    }

    private static func rotated(_ digit: UInt8) -> UInt8 {
        switch digit {
        case UInt8(ascii: "9"): UInt8(ascii: "a")
        case UInt8(ascii: "f"): UInt8(ascii: "0")
        case UInt8(ascii: "0")...UInt8(ascii: "8"), UInt8(ascii: "a")...UInt8(ascii: "e"): digit + 1
        default: digit
        }
    }

    /// The frame with another digit in one size of a level; nil when it holds no level.
    static func withWrongSize(_ frame: [UInt8], using generator: inout SplitMix64) -> [UInt8]? {
        guard
            Self.find("\"price_changes\"", in: frame, from: 0) != nil
                || Self.find("\"bids\"", in: frame, from: 0) != nil
        else { return nil }
        // A level that goes away is seen in the best prices: another one tells nothing.
        let sizes = Self.texts(of: "size", in: frame).filter { frame[$0].contains { $0 != UInt8(ascii: "0") } }
        guard !sizes.isEmpty else { return nil }
        var frame = frame
        let digits = sizes[generator.index(sizes.count)].filter { frame[$0] != UInt8(ascii: ".") }
        let place = digits[generator.index(digits.count)]
        let digit = Int(frame[place] - UInt8(ascii: "0"))
        // Never a zero, so that the number stays one however it was spelled.
        let other = digit == 0 ? 1 + generator.index(9) : (digit + generator.index(8)) % 9 + 1
        frame[place] = UInt8(ascii: "0") + UInt8(other)
        return frame
    }

    /// The frame with a byte between its texts changed, so that it is no JSON any more.
    static func withBrokenSyntax(_ frame: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        var places: [Int] = []
        var isText = false
        var index = 0
        while index < frame.count {
            switch frame[index] {
            case UInt8(ascii: "\\") where isText: index += 1
            case Self.quote: isText.toggle()
            case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"),
                UInt8(ascii: ","):
                if !isText { places.append(index) }
            default: break
            }
            index += 1
        }
        guard !places.isEmpty else { return frame }
        var frame = frame
        frame[places[generator.index(places.count)]] = UInt8(ascii: "x")
        return frame
    }

    /// The frame with a byte that no UTF-8 text holds.
    static func withBrokenEncoding(_ frame: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        guard !frame.isEmpty else { return frame }
        var frame = frame
        frame[generator.index(frame.count)] = 0xFF
        return frame
    }

    // MARK: Finding

    /// Where the texts of every member of this name lie, without their quotes.
    private static func texts(of name: String, in bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var index = 0
        while let start = Self.value(of: name, in: bytes, from: index) {
            index = start
            guard bytes[start] == Self.quote, let end = bytes[(start + 1)...].firstIndex(of: Self.quote) else {
                continue
            }
            if end > start + 1 { ranges.append(start + 1..<end) }
            index = end
        }
        return ranges
    }

    /// The text of the first member of this name.
    private static func text(of name: String, in bytes: [UInt8], from start: Int) -> String? {
        guard let begin = Self.value(of: name, in: bytes, from: start), bytes[begin] == Self.quote,
            let end = bytes[(begin + 1)...].firstIndex(of: Self.quote)
        else { return nil }
        return String(decoding: bytes[begin + 1..<end], as: UTF8.self)
    }

    /// Where the value of the next member of this name begins.
    private static func value(of name: String, in bytes: [UInt8], from start: Int) -> Int? {
        guard let key = Self.find("\"\(name)\":", in: bytes, from: start) else { return nil }
        return bytes[key...].firstIndex { $0 != 0x20 }
    }

    /// The index behind the next occurrence of a text.
    private static func find(_ text: String, in bytes: [UInt8], from start: Int) -> Int? {
        let text = Array(text.utf8)
        guard bytes.count >= text.count, start <= bytes.count - text.count else { return nil }
        for index in start...bytes.count - text.count
        where bytes[index] == text[0] && bytes[index..<index + text.count].elementsEqual(text) {
            return index + text.count
        }
        return nil
    }
}
