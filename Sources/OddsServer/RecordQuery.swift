import Hummingbird
import OddsCore

/// Which records of the bot are asked for, and which page of them.
struct RecordQuery: Sendable {
    var market: String?
    var series: String?
    var since: Timestamp?
    var page = Page()

    init() {}

    init(_ request: Request) throws(Problem) {
        try request.allow("market", "series", "since", "limit", "cursor")
        self.market = request.query("market")
        self.series = request.query("series")
        self.since = try request.time("since")
        self.page = try Page(limit: request.query("limit"), cursor: request.query("cursor"))
    }
}

/// A part of a list that grows at its beginning and is forgotten at its end.
///
/// A cursor names the last item given, by its key and by how many items with the same key come behind it, so that what came
/// meanwhile moves nothing.
struct Page: Sendable {
    static let standardLimit = 100

    var limit = Page.standardLimit
    private var after: (key: Int64, behind: Int)?

    init() {}

    init(limit: String?, cursor: String?) throws(Problem) {
        self.limit = try Page.limit(limit)
        guard let cursor else { return }
        let parts = cursor.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let key = Int64(parts[0]), let behind = Int(parts[1]), behind >= 0 else {
            throw .badRequest("?cursor= cannot be '\(cursor)'. It takes the 'next' of a page before, as it is.")
        }
        self.after = (key, behind)
    }

    static func limit(_ text: String?) throws(Problem) -> Int {
        guard let text else { return Page.standardLimit }
        guard let limit = Int(text), (1...HistoryQuery.largestLimit).contains(limit) else {
            throw .badRequest("?limit= cannot be '\(text)'. It takes 1 to \(HistoryQuery.largestLimit).")
        }
        return limit
    }

    /// The page of a list whose keys fall, or stay.
    func cut<Item: Encodable & Sendable>(_ all: [Item], key: (Item) -> Int64) -> List<Item> {
        var rest = all[...]
        if let after = self.after {
            if let last = all.lastIndex(where: { key($0) == after.key }) {
                let group = all[...last].reversed().prefix { key($0) == after.key }.count
                rest = all[(last + 1 - min(after.behind, group))...]
            } else {
                // It was forgotten, and with it what is older, but for what a clock set back has left.
                rest = all.drop { key($0) > after.key }
            }
        }
        let items = rest.prefix(self.limit)
        guard let last = items.last, items.count < rest.count else { return List(Array(items)) }
        let behind = rest.dropFirst(items.count).prefix { key($0) == key(last) }.count
        return List(Array(items), next: "\(key(last)).\(behind)")
    }
}

extension Request {
    /// A time in Unix milliseconds.
    func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = self.query(name) else { return nil }
        guard let milliseconds = Int64(text) else {
            throw .badRequest("?\(name)= cannot be '\(text)'. It takes milliseconds since 1970, UTC.")
        }
        return Timestamp(milliseconds: milliseconds)
    }
}
