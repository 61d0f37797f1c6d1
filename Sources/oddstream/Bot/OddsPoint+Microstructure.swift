import OddsCore

extension OddsPoint.Micro {
    /// What the history keeps of a market's microstructure: YES's book, and the flow of the last ten seconds.
    init(_ value: Microstructure?) {
        self.init(
            spread: value?.yes?.spread?.doubleValue, microprice: value?.yes?.microprice?.doubleValue,
            imbalance: value?.yes?.imbalance, bidDepth: value?.yes?.bidDepth.shares.doubleValue,
            askDepth: value?.yes?.askDepth.shares.doubleValue, flow: value?.shortFlow?.net,
            flowAcceleration: value?.flowAcceleration, volatility: value?.volatility)
    }
}
