/// A series of markets that replace each other, such as `btc-updown-15m`.
public struct MarketSeries: Hashable, Sendable {
    /// The name.
    public let name: String
    /// Stub until the real parser lands.
    public init(name: String) { self.name = name }
}
