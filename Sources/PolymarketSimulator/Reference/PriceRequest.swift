internal import Foundation
internal import OddsCore

/// What a client of the live data socket asks for.
struct PriceRequest: Sendable, Equatable {
    /// One topic, and the symbols of it: all of them when none is named.
    struct Subscription: Sendable, Equatable {
        var topic: ReferenceTopic
        var symbols: [String]
    }

    var isSubscription: Bool
    var subscriptions: [Subscription]

    private struct Message: Decodable {
        struct Part: Decodable {
            var topic: String?
            var filters: String?
        }

        var action: String?
        var subscriptions: [Part]?
    }

    private struct Filter: Decodable {
        var symbol: String?
    }

    /// Nil for anything but a subscription or its end; topics that are not offered are passed over.
    init?(_ text: [UInt8]) {
        // What is no such JSON is of no interest to the venue either.
        guard let message = try? JSONDecoder().decode(Message.self, from: Data(text)) else { return nil }
        switch message.action {
        case "subscribe": self.isSubscription = true
        case "unsubscribe": self.isSubscription = false
        default: return nil
        }
        self.subscriptions = (message.subscriptions ?? []).compactMap { part in
            guard let topic = ReferenceTopic.allCases.first(where: { $0.wireName == part.topic }) else { return nil }
            return Subscription(topic: topic, symbols: Self.symbols(part.filters ?? ""))
        }
    }

    /// A filter is JSON in a text, or symbols with commas between them; an empty one is none.
    private static func symbols(_ filters: String) -> [String] {
        if let filter = try? JSONDecoder().decode(Filter.self, from: Data(filters.utf8)) {
            return filter.symbol.map { [$0.lowercased()] } ?? []
        }
        return filters.lowercased().split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
    }
}
