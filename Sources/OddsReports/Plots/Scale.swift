/// Where values lie on an axis: from 0 at its begin to 1 at its end.
struct Scale: Sendable {
    let lower: Double
    let upper: Double
    let isLogarithmic: Bool

    /// An axis; bounds that make none are moved apart.
    init(_ lower: Double, _ upper: Double, isLogarithmic: Bool = false) {
        var (lower, upper) = lower <= upper ? (lower, upper) : (upper, lower)
        if isLogarithmic {
            lower = max(lower, 1e-12)
            if upper <= lower { (lower, upper) = (lower / 2, lower * 2) }
        } else if upper <= lower {
            let room = max(abs(lower) * 0.05, 1e-9)
            (lower, upper) = (lower - room, lower + room)
        }
        self.lower = lower
        self.upper = upper
        self.isLogarithmic = isLogarithmic
    }

    /// The place of a value, kept on the axis.
    func position(_ value: Double) -> Double { min(1, max(0, self.unbounded(value))) }

    /// The place of a value, which may lie outside.
    func unbounded(_ value: Double) -> Double {
        guard self.isLogarithmic else { return (value - self.lower) / (self.upper - self.lower) }
        return (Logarithm.of(max(value, 1e-12)) - Logarithm.of(self.lower))
            / (Logarithm.of(self.upper) - Logarithm.of(self.lower))
    }

    /// Whether a value lies on the axis.
    func contains(_ value: Double) -> Bool { value >= self.lower && value <= self.upper }
}

/// A tick of an axis.
struct Tick: Equatable, Sendable {
    /// From 0 to 1.
    var position: Double
    var label: String
    /// A second line under the label, such as a date; empty as a rule.
    var under = ""
}

extension Scale {
    /// Ticks at round numbers: 1, 2, 2.5 and 5 of a power of ten; on a logarithmic axis powers of ten, divided when there
    /// are few.
    func ticks(about count: Int) -> [Tick] {
        self.isLogarithmic ? self.logarithmicTicks(about: count) : self.roundTicks(about: count)
    }

    private func roundTicks(about count: Int) -> [Tick] {
        let raw = (self.upper - self.lower) / Double(max(1, count))
        var power = 1.0
        var decimals = 0
        while power > raw, decimals < 12 {
            power /= 10
            decimals += 1
        }
        while power * 10 <= raw, power < 1e300 { power *= 10 }
        let span = self.upper - self.lower
        let factor = [1, 2, 2.5, 5, 10].first { span / (power * $0) <= Double(max(1, count)) * 1.35 } ?? 10
        let step = power * factor
        if factor == 2.5, power <= 1 { decimals += 1 }
        if factor == 10, decimals > 0 { decimals -= 1 }
        var ticks: [Tick] = []
        var index = (self.lower / step - 1e-9).rounded(.up)
        while index * step <= self.upper + step * 1e-9, ticks.count < 100 {
            let value = index == 0 ? 0 : index * step
            let label = NumberText.fixed(value, decimals: decimals)
            ticks.append(Tick(position: self.position(value), label: label))
            index += 1
        }
        return ticks
    }

    private func logarithmicTicks(about count: Int) -> [Tick] {
        var powers: [Double] = []
        var power = 1e-12
        while power < self.lower * 0.1000001, power < 1e300 { power *= 10 }
        while power <= self.upper * 1.0000001, power < 1e300 {
            powers.append(power)
            power *= 10
        }
        let decades = (Logarithm.of(self.upper) - Logarithm.of(self.lower)) / Logarithm.of(10)
        // A short axis has ticks between the powers of ten, a long one leaves powers out.
        let every = max(1, Int((decades / Double(max(1, count) + 2)).rounded(.up)))
        var values: [Double] = []
        let choices: [[Double]] = every > 1 ? [[1]] : [[1, 2, 3, 4, 5, 7], [1, 2, 5], [1, 3], [1]]
        for factors in choices {
            values = []
            for index in stride(from: 0, to: powers.count, by: every) {
                for factor in factors {
                    let value = factor * powers[index]
                    if value >= self.lower * (1 - 1e-9), value <= self.upper * (1 + 1e-9) { values.append(value) }
                }
            }
            if values.count <= count + 3 { break }
        }
        guard values.count > 1 else {
            return Scale(self.lower, self.upper).roundTicks(about: count).map { tick in
                let value = self.lower + tick.position * (self.upper - self.lower)
                return Tick(position: self.position(value), label: tick.label)
            }
        }
        return values.map { Tick(position: self.position($0), label: NumberText.significant($0)) }
    }
}

/// Natural logarithms without a library of the system's: the series around one half, exact to what a plot can show.
enum Logarithm {
    static func of(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return value == 0 ? -.infinity : .nan }
        // value = significand × 2^exponent, the significand from 1 to 2; ln s = 2 artanh((s − 1) / (s + 1)).
        let ratio = (value.significand - 1) / (value.significand + 1)
        let square = ratio * ratio
        var (term, sum, divisor) = (ratio, 0.0, 1.0)
        while divisor < 40 {
            sum += term / divisor
            term *= square
            divisor += 2
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }
}
