/// Sizes as people type and read them, in powers of a thousand.
enum SizeText {
    private static let units: [(suffix: String, bytes: Double)] = [
        ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1),
    ]

    /// A size such as `500MB`, `1.5GB` or `100kB`, in bytes; nil when the text is anything else.
    static func parse(_ text: String) -> Int64? {
        guard let unit = SizeText.units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let number = text.dropLast(unit.suffix.count)
        guard !number.isEmpty, number.allSatisfy({ ($0.isASCII && $0.isNumber) || $0 == "." }),
            let value = Double(number)
        else { return nil }
        let bytes = (value * unit.bytes).rounded()
        return bytes < 9e18 ? Int64(bytes) : nil
    }

    /// A size for people: `842 B`, `12.3 MB`; typed without the space it is understood.
    static func text(_ bytes: Int64) -> String {
        let value = Double(bytes)
        for (suffix, unit) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where value >= unit {
            let tenths = Int64((value / unit * 10).rounded())
            return tenths.isMultiple(of: 10) ? "\(tenths / 10) \(suffix)" : "\(tenths / 10).\(tenths % 10) \(suffix)"
        }
        return "\(bytes) B"
    }
}
