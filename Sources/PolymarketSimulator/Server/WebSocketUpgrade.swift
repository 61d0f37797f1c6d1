internal import Crypto
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Why a request is not upgraded; it then goes on to the HTTP routes.
enum UpgradeRefused: Error {
    case path
    case request
    case fault
}

/// The server's side of the WebSocket handshake (RFC 6455, section 4.2) on one path.
final class WebSocketUpgrade: HTTPServerProtocolUpgrader, Sendable {
    private static let key = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    let supportedProtocol = "websocket"
    /// NIO wants these named in the `Connection` field, which WebSocket clients do for none but `Upgrade`.
    let requiredUpgradeHeaders: [String] = []

    private let paths: Set<String>
    private let service: any WebSocketService
    private let maximumMessageSize: Int
    private let nextID: @Sendable () -> Int

    /// An upgrade of the paths; every path when the set is empty.
    init(
        paths: Set<String>, service: any WebSocketService, maximumMessageSize: Int,
        nextID: @escaping @Sendable () -> Int
    ) {
        self.paths = paths
        self.service = service
        self.maximumMessageSize = maximumMessageSize
        self.nextID = nextID
    }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        let path = String(upgradeRequest.uri.prefix { $0 != "?" })
        guard self.paths.isEmpty || self.paths.contains(path) else {
            return channel.eventLoop.makeFailedFuture(UpgradeRefused.path)
        }
        guard let key = upgradeRequest.headers.first(name: "sec-websocket-key"),
            upgradeRequest.headers.first(name: "sec-websocket-version") == "13"
        else { return channel.eventLoop.makeFailedFuture(UpgradeRefused.request) }
        if let refusal = self.service.refusal() {
            if refusal == .reset { channel.reset() }
            return channel.eventLoop.makeFailedFuture(UpgradeRefused.fault)
        }
        var headers = initialResponseHeaders
        headers.add(name: "Sec-WebSocket-Accept", value: Self.accept(key))
        return channel.eventLoop.makeSucceededFuture(headers)
    }

    func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
        let handler = WebSocketServerHandler(
            service: self.service, id: self.nextID(), maximumMessageSize: self.maximumMessageSize)
        return context.eventLoop.makeCompletedFuture {
            try context.pipeline.syncOperations.addHandler(handler)
        }
    }

    private static func accept(_ key: String) -> String {
        Data(Insecure.SHA1.hash(data: Data((key + Self.key).utf8))).base64EncodedString()
    }
}
