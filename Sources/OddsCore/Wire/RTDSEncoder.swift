/// What a client says on the venue's live data socket ("protocol reference", section 5.1).
public enum RTDSEncoder {
    /// The heartbeat: answered by the text `PONG`, also when no prices flow.
    public static let ping: [UInt8] = Array("PING".utf8)

    /// Asks for feeds. A history of about a minute comes before the first price of each.
    public static func subscribe(_ feeds: some Sequence<ReferenceFeed>) -> [UInt8] {
        Self.message(action: "subscribe", feeds)
    }

    /// Takes feeds off a connection.
    public static func unsubscribe(_ feeds: some Sequence<ReferenceFeed>) -> [UInt8] {
        Self.message(action: "unsubscribe", feeds)
    }

    private static func message(action: String, _ feeds: some Sequence<ReferenceFeed>) -> [UInt8] {
        // The filters are a text that holds JSON: its quotes are escaped.
        let subscriptions = feeds.map { feed in
            #"{"topic":"\#(feed.topic.wireName)","type":"*","filters":"{\"symbol\":\"\#(Self.safe(feed.symbol))\"}"}"#
        }
        return Array(#"{"action":"\#(action)","subscriptions":[\#(subscriptions.joined(separator: ","))]}"#.utf8)
    }

    /// Symbols are letters, digits and a few signs; whatever else is in one cannot be part of a message.
    private static func safe(_ symbol: String) -> String {
        symbol.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "/-_.".contains($0)) }
    }
}
