import OddsCore

/// One market's odds with what its books and trades look like, and the price it is decided by: the keys of an `odds` row,
/// `microstructure` and `reference`.
struct MarketOddsRow: Encodable {
    let odds: OddsRow
    let microstructure: Microstructure?
    let reference: ReferenceReading?

    private enum CodingKeys: String, CodingKey {
        case microstructure, reference
    }

    func encode(to encoder: any Encoder) throws {
        try self.odds.encode(to: encoder)
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(self.microstructure.map { MicrostructureRow($0) }, forKey: .microstructure)
        try row.encode(self.reference.map { ReferenceRow($0) }, forKey: .reference)
    }
}
