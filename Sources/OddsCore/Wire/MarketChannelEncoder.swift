/// What a client says on the market channel, in the venue's spelling ("protocol reference", sections 1.1 to 1.3).
public enum MarketChannelEncoder {
    /// The heartbeat: answered by the text `PONG`.
    public static let ping: [UInt8] = Array("PING".utf8)

    /// The first message on a connection; a second one is answered with `INVALID OPERATION`.
    ///
    /// Asks for the custom features, because only they tell when a market is resolved.
    public static func initialSubscription(_ assets: some Sequence<AssetID>) -> [UInt8] {
        var text = Array(#"{"type":"market","assets_ids":["#.utf8)
        Self.append(assets, to: &text)
        text += Array(#"],"custom_feature_enabled":true,"initial_dump":true,"level":2}"#.utf8)
        return text
    }

    /// Adds assets to a connection that has had its first message.
    public static func subscribe(_ assets: some Sequence<AssetID>) -> [UInt8] {
        var text = Array(#"{"operation":"subscribe","assets_ids":["#.utf8)
        Self.append(assets, to: &text)
        text += Array(#"],"custom_feature_enabled":true}"#.utf8)
        return text
    }

    /// Takes assets off a connection.
    public static func unsubscribe(_ assets: some Sequence<AssetID>) -> [UInt8] {
        var text = Array(#"{"operation":"unsubscribe","assets_ids":["#.utf8)
        Self.append(assets, to: &text)
        text += Array("]}".utf8)
        return text
    }

    private static func append(_ assets: some Sequence<AssetID>, to text: inout [UInt8]) {
        var first = true
        for asset in assets {
            if !first { text.append(UInt8(ascii: ",")) }
            first = false
            text.append(UInt8(ascii: "\""))
            for byte in asset.rawValue.utf8 {
                if byte == 0x22 || byte == 0x5C { text.append(0x5C) }
                if byte >= 0x20 { text.append(byte) }
            }
            text.append(UInt8(ascii: "\""))
        }
    }
}
