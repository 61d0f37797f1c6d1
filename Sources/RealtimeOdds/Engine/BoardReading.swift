import OddsCore

extension OddsBoard {
    /// The markets that discovery knows, in its order, and behind them those of tokens that were named alone.
    func statuses(with discovered: [MarketStatus]) -> [MarketStatus] {
        let known = Set(discovered.map(\.market.id))
        let bare = self.markets.filter { !known.contains($0.id) && $0.slug.isEmpty }
            .sorted { $0.id.rawValue < $1.id.rawValue }
        return discovered
            + bare.map {
                MarketStatus(market: $0, role: .fixed, subscribed: true, firstOddsMilliseconds: nil, winner: nil)
            }
    }
}

extension UpdateHub {
    /// A new follower of all markets on a board, beginning with the values that are there.
    func updates(_ delivery: OddsUpdates.Delivery, over board: OddsBoard) -> OddsUpdates {
        let subscriber = self.subscribe(delivery) { board.markets.compactMap { board.slot($0.id) } }
        return OddsUpdates(hub: self, subscriber: subscriber)
    }
}
