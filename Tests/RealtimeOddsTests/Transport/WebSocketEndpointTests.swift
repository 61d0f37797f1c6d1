import NIOHTTP1
import Testing

@testable import RealtimeOdds

@Suite struct WebSocketEndpointTests {
    struct Example: Sendable {
        var url: String
        var parts: [String]
    }

    @Test(arguments: [
        Example(
            url: "wss://ws-subscriptions-clob.polymarket.com/ws/market",
            parts: [
                "wss", "ws-subscriptions-clob.polymarket.com", "443", "/ws/market",
                "ws-subscriptions-clob.polymarket.com",
            ]),
        Example(url: "ws://127.0.0.1:9001", parts: ["ws", "127.0.0.1", "9001", "/", "127.0.0.1:9001"]),
        Example(url: "WS://localhost:80/a?b=c", parts: ["ws", "localhost", "80", "/a?b=c", "localhost"]),
        Example(url: "wss://[::1]:8443/x", parts: ["wss", "::1", "8443", "/x", "[::1]:8443"]),
        Example(url: "ws://[::1]?q", parts: ["ws", "::1", "80", "/?q", "[::1]"]),
    ]) func anAddressIsTakenApart(example: Example) throws {
        let endpoint = try WebSocketEndpoint(example.url)
        let parts = [
            endpoint.isSecure ? "wss" : "ws", endpoint.host, "\(endpoint.port)", endpoint.target, endpoint.hostField,
        ]
        #expect(parts == example.parts)
        #expect(try WebSocketEndpoint(endpoint.description) == endpoint)
    }

    @Test(arguments: [
        "", "localhost:80", "http://localhost/", "ws://", "ws:///path", "ws://:80/", "ws://host:/", "ws://host:0/",
        "ws://host:65536/", "ws://host:8a/", "ws://host:+8/", "ws://[::1/", "ws://[::1]x/", "ws://[name]/",
        "ws://a@host/",
        "ws://host/#top", "ws://host/a b", "ws://host/\r\nX: y", "ws://hést/",
    ]) func aBadAddressIsRefusedWithItself(url: String) {
        let error = #expect(throws: TransportError.self) { try WebSocketEndpoint(url) }
        #expect(error?.code == .invalidEndpoint)
        #expect(error?.message.contains(url) == true)
    }

    @Test func theAcceptOfTheStandardsExample() {
        #expect(WebSocketHandshake.accept(forKey: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ])
    func base64OfTheStandardsExamples(text: String, encoded: String) {
        #expect(WebSocketHandshake.base64(Array(text.utf8)) == encoded)
    }

    @Test func theKeyIsSixteenFreshBytes() throws {
        let endpoint = try WebSocketEndpoint("ws://localhost/")
        var generator = SystemRandomNumberGenerator()
        let keys = (0..<50).map { _ in WebSocketHandshake(endpoint: endpoint, using: &generator).key }
        #expect(Set(keys).count == 50)
        #expect(keys.allSatisfy { $0.utf8.count == 24 && $0.hasSuffix("==") })
    }
}
