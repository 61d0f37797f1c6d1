/// Metadata keys of this library's log messages; dotted, and each in one place.
enum LogKey {
    static let line = "feed.line"
    static let connection = "feed.connection"
    static let url = "feed.url"
    static let downtime = "downtime"
    static let reason = "reason"
    static let asset = "asset.id"
    static let frame = "frame.prefix"
    static let text = "venue.text"
    static let market = "market.id"
    static let slug = "market.slug"
    static let series = "market.series"
}
