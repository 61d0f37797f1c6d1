internal import OddsCore

/// Arithmetic whose results are the same bits on every platform: only operations that IEEE 754 defines exactly.
enum Deterministic {
    /// A 64-bit finaliser: every input bit moves every output bit.
    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// FNV-1a of a text.
    static func hash(_ text: String) -> UInt64 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return value
    }

    /// A number with mean 0 and variance 1, bell-shaped, from 64 random bits (the sum of four uniform ones).
    static func normal(_ bits: UInt64) -> Double {
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (Double(sum) / 65_535 - 2) * 1.732_050_807_568_877_2
    }

    /// About `e^value`, for values between −20 and 20.
    static func exponential(_ value: Double) -> Double {
        var power = 1 + min(20, max(-20, value)) / 4096
        for _ in 0..<12 { power *= power }
        return power
    }

    /// About the chance that a normal number lies below `deviations`.
    static func normalBelow(_ deviations: Double) -> Double { 1 / (1 + Self.exponential(-1.702 * deviations)) }
}

extension SplitMix64 {
    /// A number in 0..<1.
    mutating func unit() -> Double { Double(self.next() >> 11) * 0x1p-53 }

    /// A number in the range.
    mutating func number(in range: Range<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * self.unit()
    }

    /// A whole number in `0..<bound`; `bound` is at least 1 and small.
    mutating func index(_ bound: Int) -> Int { Int(self.next() >> 33) % bound }

    /// True with this chance.
    mutating func chance(_ probability: Double) -> Bool { self.unit() < probability }

    /// Fisher and Yates, with this generator only: the library's own shuffle may change between versions.
    mutating func shuffle<Element>(_ elements: inout [Element]) {
        guard elements.count > 1 else { return }
        for last in (1..<elements.count).reversed() { elements.swapAt(last, self.index(last + 1)) }
    }
}
