/// 256 bits, most significant word first.
struct Wide: Hashable, Sendable {
    var a: UInt64
    var b: UInt64
    var c: UInt64
    var d: UInt64

    /// The decimal digits.
    var decimal: String {
        let unit: UInt64 = 10_000_000_000_000_000_000
        var words = [self.a, self.b, self.c, self.d]
        var groups: [String] = []
        while words.contains(where: { $0 != 0 }) {
            var rest: UInt64 = 0
            for index in words.indices { (words[index], rest) = unit.dividingFullWidth((rest, words[index])) }
            groups.append(String(rest))
        }
        guard let first = groups.popLast() else { return "0" }
        return groups.reversed().reduce(first) {
            $0 + String(repeating: "0", count: 19 - $1.count) + $1
        }
    }

    /// 64 lower-case hex digits.
    var hexadecimal: String {
        [self.a, self.b, self.c, self.d].reduce("") {
            let digits = String($1, radix: 16)
            return $0 + String(repeating: "0", count: 16 - digits.count) + digits
        }
    }

    init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) { (self.a, self.b, self.c, self.d) = (a, b, c, d) }

    /// From decimal digits; nil for anything else and beyond 256 bits.
    init?(decimal text: String) {
        guard !text.isEmpty, text.utf8.count <= 78 else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for byte in text.utf8 {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            var carry = UInt64(byte - 0x30)
            for index in words.indices.reversed() {
                let (high, low) = words[index].multipliedFullWidth(by: 10)
                let (sum, overflow) = low.addingReportingOverflow(carry)
                words[index] = sum
                carry = high + (overflow ? 1 : 0)
            }
            guard carry == 0 else { return nil }
        }
        self.init(a: words[0], b: words[1], c: words[2], d: words[3])
    }

    /// From `0x` and 64 hex digits.
    init?(condition text: String) {
        guard text.hasPrefix("0x"), text.utf8.count == 66 else { return nil }
        let digits = text.dropFirst(2)
        var words: [UInt64] = []
        var rest = digits[...]
        while !rest.isEmpty {
            guard let word = UInt64(rest.prefix(16), radix: 16) else { return nil }
            words.append(word)
            rest = rest.dropFirst(16)
        }
        guard words.count == 4 else { return nil }
        self.init(a: words[0], b: words[1], c: words[2], d: words[3])
    }
}

/// Identifiers that look like the venue's and say, to who knows the seed, which window they belong to.
///
/// A keyed permutation of 256 bits (a Feistel network): no table of identifiers has to be kept, and a token of a window a
/// day ahead is known without ever having been asked for.
struct TokenCipher: Sendable {
    /// What an identifier stands for.
    enum Kind: UInt64, Sendable {
        case condition = 1
        case up
        case down
        case question
        case transaction
    }

    private static let rounds = 6
    private static let mark: UInt64 = 0x6F64_6473_7472_6561
    /// At and above this first word a number has 77 or 78 decimal digits.
    private static let longFrom: UInt64 = 0x161C_0000_0000_0000

    private let seed: UInt64

    init(seed: UInt64) { self.seed = Deterministic.mix(seed ^ 0x746F_6B65_6E73) }

    /// The identifier of a thing, named by a series' hash and a number, such as a window's start.
    func identifier(series: UInt64, number: Int64, kind: Kind) -> Wide {
        var nonce: UInt64 = 0
        while true {
            let plain = Wide(a: series, b: UInt64(bitPattern: number), c: Self.mark, d: kind.rawValue << 32 | nonce)
            let sealed = self.seal(plain)
            if sealed.a >= Self.longFrom { return sealed }
            nonce += 1
        }
    }

    /// What an identifier stands for; nil when this seed did not make it.
    func open(_ identifier: Wide) -> (series: UInt64, number: Int64, kind: Kind)? {
        let plain = self.unseal(identifier)
        guard plain.c == Self.mark, let kind = Kind(rawValue: plain.d >> 32) else { return nil }
        return (plain.a, Int64(bitPattern: plain.b), kind)
    }

    private func seal(_ plain: Wide) -> Wide {
        var left = (plain.a, plain.b)
        var right = (plain.c, plain.d)
        for round in 0..<Self.rounds {
            let mask = self.mask(round, right)
            (left, right) = (right, (left.0 ^ mask.0, left.1 ^ mask.1))
        }
        return Wide(a: left.0, b: left.1, c: right.0, d: right.1)
    }

    private func unseal(_ sealed: Wide) -> Wide {
        var left = (sealed.a, sealed.b)
        var right = (sealed.c, sealed.d)
        for round in (0..<Self.rounds).reversed() {
            let mask = self.mask(round, left)
            (left, right) = ((right.0 ^ mask.0, right.1 ^ mask.1), left)
        }
        return Wide(a: left.0, b: left.1, c: right.0, d: right.1)
    }

    private func mask(_ round: Int, _ half: (UInt64, UInt64)) -> (UInt64, UInt64) {
        let key = Deterministic.mix(self.seed &+ UInt64(round))
        let first = Deterministic.mix(half.0 ^ key ^ Deterministic.mix(half.1 ^ (key << 1)))
        return (first, Deterministic.mix(half.1 ^ first ^ (key >> 1)))
    }
}
