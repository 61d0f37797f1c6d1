import Hummingbird
import OddsCore

/// What the history is asked.
extension Answers {
    /// A page of what was kept, of one market or of all.
    func history(market name: String?, _ request: Request) async throws -> List<HistoryRecord> {
        guard let history = self.history else {
            throw Problem.notFound("No history is kept. `oddstream run --data DIR` keeps one.")
        }
        var query = HistoryQuery(
            kinds: try Self.kinds(request.query("kind"), ofMarket: name != nil), symbol: request.query("symbol"),
            from: try request.time("from"), until: try request.time("until"),
            order: try Self.order(request.query("order")),
            limit: try Page.limit(request.query("limit")), cursor: request.query("cursor"))
        if let from = query.from, let until = query.until, from >= until {
            throw Problem.badRequest("?from= is not before ?until=: nothing lies between them.")
        }
        do {
            if let name { query.market = try await self.market(name, in: history) }
            let page = try await history.history(query)
            return List(page.items, next: page.next)
        } catch let error as HistoryError {
            throw Self.problem(error)
        }
    }

    private func market(_ name: String, in history: any HistoryReader) async throws -> MarketID {
        // What is followed may have left nothing yet.
        if let followed = self.source.markets.first(where: { Answers.is($0.market, name) }) {
            return followed.market.id
        }
        if let kept = try await history.market(named: name) { return kept.market }
        let near = try await history.slugs(near: name, limit: 3)
        let hint = near.isEmpty ? "Nothing is like it either." : "Like it are: \(near.joined(separator: ", "))."
        throw Problem.notFound("Nothing was kept of a market '\(name)'. \(hint)")
    }

    private static func kinds(_ list: String?, ofMarket isOfMarket: Bool) throws(Problem) -> Set<HistoryRecord.Kind> {
        let possible = HistoryRecord.Kind.allCases.filter { !isOfMarket || $0 != .referencePrice }
        guard let list else { return isOfMarket ? [.odds] : Set(possible) }
        var kinds: Set<HistoryRecord.Kind> = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = HistoryRecord.Kind(rawValue: String(name)) else {
                let allowed = possible.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("?kind= cannot be '\(name)'. Allowed, with commas between several: \(allowed).")
            }
            guard possible.contains(kind) else {
                throw .badRequest("Reference prices belong to no market: ask /v1/history?kind=\(kind.rawValue).")
            }
            kinds.insert(kind)
        }
        return kinds
    }

    private static func order(_ text: String?) throws(Problem) -> HistoryQuery.Order {
        guard let text else { return .newestFirst }
        guard let order = HistoryQuery.Order(rawValue: text) else {
            let allowed = HistoryQuery.Order.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("?order= cannot be '\(text)'. Allowed: \(allowed).")
        }
        return order
    }

    private static func problem(_ error: HistoryError) -> Problem {
        switch error.code {
        case .unavailable: .notImplemented(error.message)
        case .notFound: .notFound(error.message)
        case .badCursor: .badRequest(error.message)
        case .busy, .newerVersion, .inaccessible, .damaged, .cancelled: .unavailable(error.message)
        }
    }
}
