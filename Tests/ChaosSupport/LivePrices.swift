package import OddsCore
package import OddsProof

/// Best prices that were live, and from when to when.
package struct LivePrices {
    package let tops: ChaosMeter.Tops
    package let from: MonotonicTime
    package let until: MonotonicTime

    /// Every change of the best prices; sizes and trades that change beneath them are no change here.
    package static func all(of published: [OddsSnapshot]) -> [LivePrices] {
        var changes: [OddsSnapshot] = []
        for odds in published where odds.trust == .live {
            if let last = changes.last, ChaosMeter.Tops(last) == ChaosMeter.Tops(odds) { continue }
            changes.append(odds)
        }
        return zip(changes, changes.dropFirst()).map { odds, next in
            LivePrices(
                tops: ChaosMeter.Tops(odds), from: odds.receiveTime.monotonic, until: next.receiveTime.monotonic)
        }
    }

    /// What one reader saw for some time and another, who should have, at no moment of it nor shortly after.
    package static func missing(of all: [LivePrices], in others: [LivePrices], visible: Duration) -> [LivePrices] {
        let shortly = Duration.milliseconds(50)
        return all.filter { prices in
            prices.from.duration(to: prices.until) >= visible
                && !others.contains {
                    $0.tops == prices.tops && $0.from <= prices.until.advanced(by: shortly)
                        && $0.until >= prices.from
                }
        }
    }
}
