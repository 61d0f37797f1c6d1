/// A series of markets that replace each other, such as `btc-updown-15m`: which window a moment lies in, and what the
/// venue calls the market of a window.
///
/// Windows shorter than an hour lie on the UTC grid of their length; one-hour windows are the hours of the clock; four-hour
/// windows start at 00, 04, 08 … US Eastern time, so that the one in which the clocks change is an hour longer or shorter.
public struct MarketSeries: Hashable, Sendable, CustomStringConvertible {
    /// The name, in lower case: `<asset>-updown-<length>`.
    public let name: String
    /// The asset's short word, such as `btc`.
    public let asset: String
    /// The length of a window.
    public let period: Duration

    /// The length as it is written in the name, such as `15m`.
    private let length: String

    /// A series from its name: `<asset>-updown-<length>`, such as `btc-updown-15m`.
    ///
    /// The asset is one word of letters and digits. The length is seconds below an hour (`30s`), minutes below an hour
    /// (`15m`), `1h` or `4h`: the hourly series the venue has. Upper case is accepted and made lower.
    public init(_ name: String) throws(MarketSeriesError) {
        let name = name.lowercased()
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1] == "updown" else { throw MarketSeriesError(name, .form) }
        guard !parts[0].isEmpty, parts[0].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) else {
            throw MarketSeriesError(name, .asset)
        }
        guard let period = Self.period(of: parts[2]) else { throw MarketSeriesError(name, .length) }
        self.name = name
        self.asset = String(parts[0])
        self.period = .seconds(period)
        self.length = String(parts[2])
    }

    /// The name.
    public var description: String { self.name }

    private static func period(of text: Substring) -> Int64? {
        guard let unit = text.last, let first = text.first, first.isASCII, first.isNumber, first != "0",
            let count = Int64(text.dropLast())
        else { return nil }
        switch unit {
        case "s": return count < 3600 ? count : nil
        case "m": return count < 60 ? count * 60 : nil
        case "h": return count == 1 || count == 4 ? count * 3600 : nil
        default: return nil
        }
    }

    /// Whole seconds of the period.
    private var seconds: Int64 { self.period.components.seconds }
    /// Four hours lie on the Eastern grid; the hours of UTC and of New York begin at the same moments.
    private var followsEasternTime: Bool { self.seconds > 3600 }

    /// The window a moment lies in; a boundary belongs to the window it opens.
    public func window(containing time: Timestamp) -> MarketWindow {
        guard self.followsEasternTime else {
            let start = time.seconds.flooredQuotient(self.seconds) * self.seconds
            return MarketWindow(start: Timestamp(seconds: start), end: Timestamp(seconds: start + self.seconds))
        }
        let local = time.seconds + EasternTime.offset(at: time)
        let start = local.flooredQuotient(self.seconds) * self.seconds
        return MarketWindow(
            start: EasternTime.moment(local: start), end: EasternTime.moment(local: start + self.seconds))
    }

    /// The window that follows a window.
    public func window(after window: MarketWindow) -> MarketWindow { self.window(containing: window.end) }

    /// The window that comes before a window.
    public func window(before window: MarketWindow) -> MarketWindow {
        self.window(containing: Timestamp(milliseconds: window.start.milliseconds - 1))
    }

    /// What the venue may call the market of a window, the most likely first.
    ///
    /// Most series: `<name>-<window start, Unix seconds>`. One hour: a phrase in Eastern time, such as
    /// `bitcoin-up-or-down-march-23-2026-4pm-et`, then the older form without the year. (In the hour that the clocks repeat
    /// in November two windows share a phrase; the market's own times tell which it is.)
    public func slugs(for window: MarketWindow) -> [String] {
        guard self.seconds == 3600 else { return ["\(self.name)-\(window.start.seconds)"] }
        let reading = EasternTime.reading(at: window.start)
        let month = Self.months[Int(reading.month) - 1]
        let hour = "\((reading.hour + 11) % 12 + 1)\(reading.hour < 12 ? "am" : "pm")"
        let stem = "\(Self.longNames[self.asset] ?? self.asset)-up-or-down-\(month)-\(reading.day)"
        return ["\(stem)-\(reading.year)-\(hour)-et", "\(stem)-\(hour)-et"]
    }

    /// The window a slug of the form `<series>-<Unix seconds>` names; nil for any other slug, and off the series' grid.
    public static func window(ofSlug slug: String) -> MarketWindow? {
        guard let dash = slug.lastIndex(of: "-"), let start = Int64(slug[slug.index(after: dash)...]), start > 0,
            start < 100_000_000_000, let series = try? MarketSeries(String(slug[..<dash]))
        else { return nil }
        let window = series.window(containing: Timestamp(seconds: start))
        return window.start.seconds == start ? window : nil
    }

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]

    /// How the venue spells out an asset in the hourly slugs; an asset that is not here is written as it is.
    private static let longNames = [
        "btc": "bitcoin", "eth": "ethereum", "sol": "solana", "xrp": "xrp", "doge": "dogecoin", "bnb": "bnb",
        "hype": "hyperliquid", "zec": "zcash",
    ]

    /// The asset that the hourly slugs spell out like this; nil for a name that is not known.
    static func asset(spelledOut name: String) -> String? { Self.longNames.first { $0.value == name }?.key }
}

/// Why a text is not the name of a series.
public struct MarketSeriesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with the name.
    public struct Code: Hashable, Sendable {
        fileprivate let name: String
        /// Not three words with `updown` in the middle.
        public static let form = Code(name: "form")
        /// The asset is empty or has other characters than letters and digits.
        public static let asset = Code(name: "asset")
        /// The window length is not one that can be followed.
        public static let length = Code(name: "length")
    }

    /// What is wrong with the name.
    public let code: Code
    /// The name that was refused.
    public let series: String

    init(_ series: String, _ code: Code) {
        self.series = series
        self.code = code
    }

    /// What is wrong and what is allowed.
    public var message: String {
        let allowed = "a series is written <asset>-updown-<length>, such as btc-updown-15m"
        switch self.code {
        case .asset: return "'\(self.series)' has no usable asset: \(allowed); the asset is letters and digits"
        case .length:
            return "'\(self.series)' has no usable window length: \(allowed); "
                + "the length is 1s to 3599s, 1m to 59m, 1h or 4h"
        default: return "'\(self.series)' is not the name of a series: \(allowed)"
        }
    }

    /// The message.
    public var description: String { self.message }
}
