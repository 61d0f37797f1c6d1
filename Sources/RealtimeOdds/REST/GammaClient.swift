package import OddsCore

/// Polymarket's Gamma REST API, as far as finding markets needs it.
package struct GammaClient: Sendable {
    private let base: String
    private let transport: any RESTTransport
    private let timeout: Duration

    /// A client of the API at `base`.
    ///
    /// - Parameters:
    ///   - base: `http://` or `https://`, with or without a path; a final slash is ignored.
    ///   - transport: what moves requests and answers.
    ///   - timeout: how long one request may take.
    package init(base: String, transport: any RESTTransport, timeout: Duration = .seconds(5)) {
        self.base = base.withoutFinalSlash
        self.transport = transport
        self.timeout = timeout
    }

    /// The market of a slug, open or closed. Throws `notFound` when the venue does not have it.
    package func market(slug: String) async throws(RESTError) -> MarketFinding {
        try Self.market(slug: slug, in: try await self.value(self.base + Self.path(ofSlug: slug)))
    }

    /// The path of a slug's market.
    package static func path(ofSlug slug: String) -> String { "/markets/slug/\(slug.urlEscaped)" }

    /// The market in an answer to the question for a slug.
    package static func market(slug: String, in response: RESTResponse) throws(RESTError) -> MarketFinding {
        try Self.market(slug: slug, in: try response.json(url: Self.path(ofSlug: slug)))
    }

    private static func market(slug: String, in value: JSONValue) throws(RESTError) -> MarketFinding {
        let market = try Self.first(of: value, asked: slug)
        guard market.slug == slug else {
            throw GammaMarket.malformed(asked: slug, field: "slug", expected: "'\(slug)'", found: "'\(market.slug)'")
        }
        return try market.finding()
    }

    /// The first market that exists under one of the slugs, in their order.
    package func market(slugs: [String]) async throws(RESTError) -> MarketFinding {
        var missing = RESTError(.notFound, "no slug to ask for")
        for slug in slugs {
            do {
                return try await self.market(slug: slug)
            } catch let error where error.code == .notFound {
                missing = error
            }
        }
        throw slugs.count < 2
            ? missing : RESTError(.notFound, "Gamma has no market \(slugs.joined(separator: " or ")) (yet)")
    }

    /// The market of a condition id, open or closed. Throws `notFound` when the venue does not have it.
    package func market(condition: MarketID) async throws(RESTError) -> MarketFinding {
        let url = "\(self.base)/markets?condition_ids=\(condition.rawValue.urlEscaped)"
        let market: GammaMarket
        do {
            market = try Self.first(of: try await self.value(url), asked: condition.rawValue)
        } catch let error where error.code == .notFound {
            // The list leaves out closed markets unless they are asked for.
            market = try Self.first(of: try await self.value(url + "&closed=true"), asked: condition.rawValue)
        }
        let id = try market.conditionID()
        guard id.rawValue.lowercased() == condition.rawValue.lowercased() else {
            throw GammaMarket.malformed(
                asked: condition.rawValue, field: "conditionId", expected: "'\(condition)'", found: "'\(id)'")
        }
        return try market.finding()
    }

    /// The market a look-up asks for.
    package func market(_ query: MarketLookUp) async throws(RESTError) -> MarketFinding {
        switch query {
        case .window(_, let slugs): try await self.market(slugs: slugs)
        case .slug(let slug): try await self.market(slug: slug)
        case .condition(let id): try await self.market(condition: id)
        }
    }

    // MARK: Requests

    private func value(_ url: String) async throws(RESTError) -> JSONValue {
        try await self.transport.json(url, timeout: self.timeout)
    }

    /// The market in an answer: an object, or the first of a list.
    private static func first(of value: JSONValue, asked: String) throws(RESTError) -> GammaMarket {
        switch value {
        case .object(let fields): return GammaMarket(asked: asked, fields: fields)
        case .array(let items):
            guard let item = items.first else {
                throw RESTError(.notFound, "Gamma has no market \(asked) (yet)")
            }
            guard case .object(let fields) = item else {
                throw GammaMarket.malformed(
                    asked: asked, field: "0", expected: "an object", found: item.summary)
            }
            return GammaMarket(asked: asked, fields: fields)
        case .null: throw RESTError(.notFound, "Gamma has no market \(asked) (yet)")
        case .bool, .number, .string:
            throw GammaMarket.malformed(
                asked: asked, field: "the answer", expected: "an object or a list", found: value.summary)
        }
    }
}
