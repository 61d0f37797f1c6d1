/// The values that one setting is tried with.
public struct ParameterSweep: Hashable, Sendable, Codable {
    /// The setting's name.
    public var name: String
    /// Its values, in the order in which they are tried.
    public var values: [String]

    /// A sweep from its parts.
    public init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }

    /// The most values of one sweep.
    public static let limit = 10_000

    /// A sweep from its text: `threshold=0.60:0.90:0.05` (from, to and step, both ends included), or
    /// `threshold=0.6,0.7`. A time's three parts have one unit: `entry-after=0s:60s:15s`.
    ///
    /// - Throws: `ProofError` when it is neither, when from, to and step have different units, or with a step that leads nowhere.
    public init(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw ProofError("A sweep is written name=from:to:step or name=a,b,c, such as threshold=0.60:0.90:0.05.")
        }
        let range = parts[1].split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        guard range.count > 1 else {
            let values = parts[1].split(separator: ",", omittingEmptySubsequences: false).map {
                String($0.drop { $0 == " " })
            }
            guard !values.contains(""), Set(values).count == values.count, values.count <= Self.limit else {
                throw ProofError("The sweep \(text) has an empty value, one twice, or more than \(Self.limit) values.")
            }
            self.init(name: parts[0], values: values)
            return
        }
        let numbers = range.compactMap { DecimalText($0) }
        guard range.count == 3, numbers.count == 3 else {
            throw ProofError(
                "The sweep \(text) is not from:to:step in plain numbers, such as 0.60:0.90:0.05 or 0s:60s:15s.")
        }
        let units = Set(numbers.filter { $0.digits != 0 || !$0.unit.isEmpty }.map(\.unit))
        guard units.count == 1, let unit = units.first else {
            throw ProofError(
                "The sweep \(text) has different units: write from, to and step in one, such as 0s:60s:15s.")
        }
        let (from, to, step) = (numbers[0].digits, numbers[1].digits, numbers[2].digits)
        guard step > 0, from <= to, (to - from) / step < Int64(Self.limit) else {
            throw ProofError(
                "The sweep \(text) leads nowhere or too far: from must not be over to, the step over zero, and \(Self.limit) values are the most."
            )
        }
        let places = numbers.map(\.places).max() ?? 0
        self.init(
            name: parts[0],
            values: stride(from: from, through: to, by: Int(step)).map {
                DecimalText(digits: $0, places: places, unit: unit).text
            })
    }

    /// Every combination of the values of several sweeps, the last one's changing fastest; one without any when there is none.
    public static func product(_ sweeps: [ParameterSweep]) -> [[Parameter]] {
        sweeps.reduce([[]]) { sets, sweep in
            sets.flatMap { set in sweep.values.map { set + [Parameter(name: sweep.name, value: $0)] } }
        }
    }

    /// How many combinations there are; nil when there are more than a number can hold.
    public static func count(_ sweeps: [ParameterSweep]) -> Int? {
        sweeps.reduce(1) { product, sweep in
            product.flatMap {
                let (count, overflow) = $0.multipliedReportingOverflow(by: sweep.values.count)
                return overflow ? nil : count
            }
        }
    }

    /// A setting and one value of it.
    public struct Parameter: Hashable, Sendable, Codable {
        /// The setting's name.
        public var name: String
        /// The value as it is written.
        public var value: String

        /// A parameter from its parts.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
}

/// A plain decimal with a unit behind it, in billionths: sums of it are exact, and it is written as it was.
private struct DecimalText {
    var digits: Int64
    /// Decimals behind the point.
    var places: Int
    var unit: String

    init(digits: Int64, places: Int, unit: String) {
        self.digits = digits
        self.places = places
        self.unit = unit
    }

    init?(_ text: String) {
        let number = text.prefix { $0.isNumber && $0.isASCII || $0 == "." }
        let unit = text.dropFirst(number.count)
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard unit.allSatisfy({ $0.isLetter && $0.isASCII }), (1...2).contains(parts.count), !parts[0].isEmpty,
            let whole = Int64(parts[0]), whole <= 1_000_000_000
        else { return nil }
        var fraction: Int64 = 0
        self.places = 0
        if parts.count == 2 {
            let decimals = String(parts[1])
            guard (1...9).contains(decimals.count), let value = Int64(decimals) else { return nil }
            self.places = decimals.count
            fraction = (decimals.count..<9).reduce(value) { value, _ in value * 10 }
        }
        self.digits = whole * 1_000_000_000 + fraction
        self.unit = String(unit)
    }

    var text: String {
        let whole = "\(self.digits / 1_000_000_000)"
        guard self.places > 0 else { return whole + self.unit }
        let fraction = String(self.digits % 1_000_000_000)
        let padded = String(repeating: "0", count: 9 - fraction.count) + fraction
        return "\(whole).\(padded.prefix(self.places))\(self.unit)"
    }
}
