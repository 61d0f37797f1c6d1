public import OddsCore

extension Market {
    /// A market made up for tests: its condition id and tokens follow from the slug.
    public static func sample(
        _ slug: String, window: MarketWindow? = nil, acceptingOrders: Bool = true, closed: Bool = false
    ) -> Market {
        Market(
            id: MarketID("0x-\(slug)"), slug: slug, window: window,
            yes: Outcome(label: "Up", asset: AssetID("\(slug)/up")),
            no: Outcome(label: "Down", asset: AssetID("\(slug)/down")), acceptingOrders: acceptingOrders,
            closed: closed)
    }
}
