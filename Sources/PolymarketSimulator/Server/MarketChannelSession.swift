internal import Foundation
internal import OddsCore

/// A message of a market-channel client, as far as the venue looks at it; fields of another type count as absent.
struct ClientMessage: Sendable, Decodable {
    var type: String?
    var operation: String?
    var assets: [String]?
    var customFeatures: Bool?
    var initialDump: Bool?

    private enum CodingKeys: String, CodingKey {
        case type
        case operation
        case assets = "assets_ids"
        case customFeatures = "custom_feature_enabled"
        case initialDump = "initial_dump"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.type = try? container.decode(String.self, forKey: .type)
        self.operation = try? container.decode(String.self, forKey: .operation)
        self.assets = try? container.decode([String].self, forKey: .assets)
        self.customFeatures = try? container.decode(Bool.self, forKey: .customFeatures)
        self.initialDump = try? container.decode(Bool.self, forKey: .initialDump)
    }

    /// Nil for anything but a JSON object.
    static func parse(_ bytes: [UInt8]) -> ClientMessage? {
        try? JSONDecoder().decode(ClientMessage.self, from: Data(bytes))
    }
}

/// What a client of the market channel is subscribed to, as a machine: messages in, one reply out.
struct MarketChannelSession: Sendable {
    /// What the venue does about a message.
    enum Reply: Sendable, Equatable {
        /// Nothing is said.
        case none
        case text(String)
        /// These assets are new; their books are to be sent in one frame.
        case subscribed([String], dump: Bool)
        case unsubscribed([String])
    }

    /// Beyond this many assets updates flow, but first books are not sent.
    private static let assetLimit = 500

    private(set) var assets: Set<String> = []
    private(set) var wantsCustomEvents = false
    /// When the connection is dropped unless it subscribes to something.
    private(set) var deadline: MonotonicTime?
    private var hasBegun = false
    private let idleLimit: Duration

    init(now: MonotonicTime, idleLimit: Duration) {
        self.idleLimit = idleLimit
        self.deadline = now.advanced(by: idleLimit)
    }

    /// A text message came.
    mutating func received(_ text: [UInt8], now: MonotonicTime) -> Reply {
        if text.elementsEqual("PING".utf8) { return .text("PONG") }
        guard let message = ClientMessage.parse(text) else { return .text("INVALID OPERATION") }
        if let operation = message.operation {
            switch operation {
            case "subscribe": return self.subscribe(message, isFirst: false)
            case "unsubscribe":
                let gone = (message.assets ?? []).filter { self.assets.remove($0) != nil }
                return gone.isEmpty ? .none : .unsubscribed(gone)
            default: return .text("INVALID OPERATION")
            }
        }
        guard message.type?.lowercased() == "market" else { return .none }
        guard !self.hasBegun else { return .text("INVALID OPERATION") }
        self.hasBegun = true
        if (message.assets ?? []).isEmpty { self.deadline = now.advanced(by: self.idleLimit) }
        return self.subscribe(message, isFirst: true)
    }

    private mutating func subscribe(_ message: ClientMessage, isFirst: Bool) -> Reply {
        if let custom = message.customFeatures { self.wantsCustomEvents = custom }
        let named = message.assets ?? []
        var fresh: [String] = []
        for asset in named where self.assets.insert(asset).inserted { fresh.append(asset) }
        if !self.assets.isEmpty { self.deadline = nil }
        guard !fresh.isEmpty else {
            return !isFirst && self.wantsCustomEvents && !named.isEmpty ? .text("NO NEW ASSETS") : .none
        }
        let dump = (message.initialDump ?? true) && self.assets.count <= Self.assetLimit
        return .subscribed(fresh, dump: dump)
    }
}
