/// How long to wait before the next attempt: at once first, then doubling, with jitter, up to a ceiling.
///
/// The delays are those of the original specification (1, 2, 4, 8, 16, 32, 60 s) behind one immediate retry. Jitter
/// takes off up to a fifth, so that many clients do not come back in step and no delay exceeds its nominal value.
public struct Backoff: Sendable, Equatable {
    /// The nominal delays, by the number of failures before; the last one repeats.
    public var delays: [Duration]
    /// The largest share of a delay that jitter takes off, 0 to 1.
    public var jitter: Double

    /// A backoff from its nominal delays. At least one delay is needed.
    public init(delays: [Duration], jitter: Double = 0.2) {
        precondition(!delays.isEmpty, "a backoff needs at least one delay")
        precondition(jitter >= 0 && jitter <= 1, "jitter is a share between 0 and 1")
        self.delays = delays
        self.jitter = jitter
    }

    /// At once, then 1, 2, 4, 8, 16, 32, 60 s, with up to 20 % taken off.
    public static let standard = Backoff(delays: [0, 1, 2, 4, 8, 16, 32, 60].map { .seconds($0) })

    /// The wait after `failures` failed attempts in a row (0 for the first attempt after a loss).
    public func delay(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let nominal = self.delays[min(max(0, failures), self.delays.count - 1)]
        guard self.jitter > 0, nominal > .zero else { return nominal }
        return nominal * (1 - Double.random(in: 0...self.jitter, using: &generator))
    }
}

/// A small deterministic generator (SplitMix64): the same seed gives the same sequence on every platform.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64
    /// A generator whose whole sequence follows from the seed.
    public init(seed: UInt64) { self.state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
