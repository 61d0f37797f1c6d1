/// A list as the API gives it. Everything fits one page today, so `next` is always null.
struct List<Item: Encodable & Sendable>: Encodable, Sendable {
    let items: [Item]

    init(_ items: [Item]) { self.items = items }

    private enum CodingKeys: String, CodingKey { case items, next }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.items, forKey: .items)
        try container.encodeNil(forKey: .next)
    }
}

/// The answer of `/healthz`.
struct HealthRow: Encodable {
    let status: String
}
