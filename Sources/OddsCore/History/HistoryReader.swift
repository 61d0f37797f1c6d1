/// Reads back what was kept.
public protocol HistoryReader: Sendable {
    /// Records that match, in the order of their times, one page at a time.
    ///
    /// - Throws: `HistoryError`; its message says what to do.
    func history(_ query: HistoryQuery) async throws(HistoryError) -> HistoryPage<HistoryRecord>

    /// The market of a condition id or slug; nil when none was kept.
    ///
    /// - Throws: `HistoryError`; its message says what to do.
    func market(named name: String) async throws(HistoryError) -> MarketRecord?

    /// The slugs of kept markets that are most like a name, the nearest first; for messages about a name that is unknown.
    ///
    /// - Throws: `HistoryError`; its message says what to do.
    func slugs(near name: String, limit: Int) async throws(HistoryError) -> [String]
}

/// What to read.
public struct HistoryQuery: Hashable, Sendable {
    /// Which way time runs through the pages.
    public enum Order: String, Hashable, Sendable, CaseIterable {
        /// The newest record first.
        case newestFirst = "newest_first"
        /// The oldest record first.
        case oldestFirst = "oldest_first"
    }

    /// The kinds of records; all of them by default.
    public var kinds: Set<HistoryRecord.Kind>
    /// One market; nil for all. Reference prices belong to no market and are left out when one is named.
    public var market: MarketID?
    /// One symbol of reference prices, such as `btc/usd`; nil for all. Other kinds are not touched by it.
    public var symbol: String?
    /// Nothing earlier than this; nil for no limit.
    public var from: Timestamp?
    /// Only what is earlier than this; nil for no limit.
    public var until: Timestamp?
    /// Which way time runs.
    public var order: Order
    /// How many records a page has at most: 1 to `largestLimit`; others are brought into this range.
    public var limit: Int
    /// The `next` of the page before; nil for the first page. The rest of the query must be the same.
    public var cursor: String?

    /// The most records of one page.
    public static let largestLimit = 1000

    /// A query; without arguments the newest 100 records of every kind.
    public init(
        kinds: Set<HistoryRecord.Kind> = Set(HistoryRecord.Kind.allCases), market: MarketID? = nil,
        symbol: String? = nil, from: Timestamp? = nil, until: Timestamp? = nil, order: Order = .newestFirst,
        limit: Int = 100, cursor: String? = nil
    ) {
        self.kinds = kinds
        self.market = market
        self.symbol = symbol
        self.from = from
        self.until = until
        self.order = order
        self.limit = limit
        self.cursor = cursor
    }
}

/// Some records, and how to get the ones after them.
public struct HistoryPage<Item: Sendable>: Sendable {
    /// The records.
    public var items: [Item]
    /// The `cursor` of the next page's query; nil when this was the last page.
    public var next: String?

    /// A page from its parts.
    public init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }

    /// The same page with other items; those that become nil are left out.
    public func compactMap<Other: Sendable>(_ transform: (Item) -> Other?) -> HistoryPage<Other> {
        HistoryPage<Other>(items: self.items.compactMap(transform), next: self.next)
    }
}

/// Why a history cannot be read.
public struct HistoryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of fault, for decisions.
    public enum Code: String, Sendable, CaseIterable {
        /// This program was built without a history.
        case unavailable
        /// There is no history at that place.
        case notFound
        /// The history was written by a newer version of the program.
        case newerVersion
        /// Somebody else holds the history.
        case busy
        /// The file is damaged.
        case damaged
        /// The file cannot be read or written: permissions, disk.
        case inaccessible
        /// The cursor is none that a page gave.
        case badCursor
    }

    /// The kind of fault.
    public let code: Code
    /// What is wrong and what to do.
    public let message: String

    /// An error from its parts.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { self.message }
}

extension HistoryReader {
    /// A market's records of some kinds, odds unless told otherwise.
    public func history(
        of market: MarketID, kinds: Set<HistoryRecord.Kind> = [.odds], from: Timestamp? = nil,
        until: Timestamp? = nil, order: HistoryQuery.Order = .newestFirst, limit: Int = 100, cursor: String? = nil
    ) async throws(HistoryError) -> HistoryPage<HistoryRecord> {
        try await self.history(
            HistoryQuery(
                kinds: kinds, market: market, from: from, until: until, order: order, limit: limit, cursor: cursor))
    }

    /// Odds; the query's `kinds` are not used.
    public func odds(_ query: HistoryQuery = HistoryQuery()) async throws(HistoryError) -> HistoryPage<OddsPoint> {
        try await self.only(.odds, query) { if case .odds(let record) = $0 { record } else { nil } }
    }

    /// Orders and what became of them; the query's `kinds` are not used.
    public func trades(_ query: HistoryQuery = HistoryQuery()) async throws(HistoryError) -> HistoryPage<TradeRecord> {
        try await self.only(.trade, query) { if case .trade(let record) = $0 { record } else { nil } }
    }

    /// Spikes; the query's `kinds` are not used.
    public func spikes(_ query: HistoryQuery = HistoryQuery()) async throws(HistoryError) -> HistoryPage<SpikeRecord> {
        try await self.only(.spike, query) { if case .spike(let record) = $0 { record } else { nil } }
    }

    /// Incidents; the query's `kinds` are not used.
    public func incidents(
        _ query: HistoryQuery = HistoryQuery()
    ) async throws(HistoryError) -> HistoryPage<IncidentRecord> {
        try await self.only(.incident, query) { if case .incident(let record) = $0 { record } else { nil } }
    }

    /// Markets; the query's `kinds` are not used.
    public func markets(
        _ query: HistoryQuery = HistoryQuery()
    ) async throws(HistoryError) -> HistoryPage<MarketRecord> {
        try await self.only(.market, query) { if case .market(let record) = $0 { record } else { nil } }
    }

    private func only<Item: Sendable>(
        _ kind: HistoryRecord.Kind, _ query: HistoryQuery, _ item: (HistoryRecord) -> Item?
    ) async throws(HistoryError) -> HistoryPage<Item> {
        var query = query
        query.kinds = [kind]
        return try await self.history(query).compactMap(item)
    }
}
