import OddsCore

/// A page in Prometheus' text format, version 0.0.4: families of samples, each with its help and type.
///
/// Units are base units (seconds, bytes, ratios), names of counters end in `_total`. Labels come from closed sets: kinds,
/// states, numbers of lines; never slugs or ids, of which there is no end.
struct MetricsPage {
    /// What a family's samples are.
    enum Kind: String {
        case counter, gauge, histogram
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The page.
    private(set) var text = ""

    /// A family of one sample without labels; nothing when there is no value.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        guard let value else { return }
        self.add(name, kind, help, [([], value)])
    }

    /// A family of samples; nothing when there are none.
    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
    ) {
        guard !samples.isEmpty else { return }
        self.head(name, kind, help)
        for (labels, value) in samples { self.sample(name, labels, value) }
    }

    /// A distribution of times, in seconds.
    mutating func add(_ name: String, _ help: String, _ histogram: LatencyHistogram) {
        self.head(name, .histogram, help)
        for bound in Self.bounds {
            self.sample(
                "\(name)_bucket", [("le", Self.number(bound))],
                Double(histogram.count(upTo: Int64((bound * 1_000_000_000).rounded()))))
        }
        self.sample("\(name)_bucket", [("le", "+Inf")], Double(histogram.count))
        self.sample("\(name)_sum", [], histogram.sum / 1_000_000_000)
        self.sample("\(name)_count", [], Double(histogram.count))
    }

    /// Upper ends of buckets, in seconds.
    private static let bounds = [
        0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
        2.5,
        5, 10,
    ]

    private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
        self.text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        self.text += name
        if !labels.isEmpty {
            let list = labels.map { "\($0.0)=\"\(Self.escaped($0.1, quotes: true))\"" }
            self.text += "{\(list.joined(separator: ","))}"
        }
        self.text += " \(Self.number(value))\n"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        let text = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return quotes ? text.replacing("\"", with: "\\\"") : text
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        return "\(value)"
    }
}
