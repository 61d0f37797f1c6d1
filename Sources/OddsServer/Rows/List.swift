/// A list as the API gives it: one page, and the cursor of the next one, or null.
struct List<Item: Encodable & Sendable>: Encodable, Sendable {
    let items: [Item]
    let next: String?

    init(_ items: [Item], next: String? = nil) {
        self.items = items
        self.next = next
    }

    private enum CodingKeys: String, CodingKey { case items, next }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.items, forKey: .items)
        try container.encode(self.next, forKey: .next)
    }
}

/// The answer of `/healthz`.
struct HealthRow: Encodable {
    let status: String
}
