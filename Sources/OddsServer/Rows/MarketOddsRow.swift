import OddsCore

/// One market's odds with what its books and trades look like: the keys of an `odds` row, and `microstructure`.
struct MarketOddsRow: Encodable {
    let odds: OddsRow
    let microstructure: Microstructure?

    private enum CodingKeys: String, CodingKey {
        case microstructure
    }

    func encode(to encoder: any Encoder) throws {
        try self.odds.encode(to: encoder)
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(self.microstructure.map { MicrostructureRow($0) }, forKey: .microstructure)
    }
}
