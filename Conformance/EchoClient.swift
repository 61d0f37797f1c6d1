import NIOCore
import NIOPosix
import OddsCore
import RealtimeOdds

/// Goes through all cases of a fuzzing server, with the transport that carries the market channel.
struct EchoClient {
    struct NoCaseCount: Error, CustomStringConvertible {
        var description: String { "the fuzzing server did not tell how many cases it has" }
    }

    let port: Int
    private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

    init(port: Int) { self.port = port }

    func run() async throws {
        guard let text = try await self.visit("getCaseCount"), let count = Int(String(decoding: text, as: UTF8.self))
        else { throw NoCaseCount() }
        for number in 1...max(1, count) { _ = try await self.visit("runCase?case=\(number)&agent=oddstream") }
        _ = try await self.visit("updateReports?agent=oddstream")
        print("\(count) cases")
    }

    /// Connects and echoes until the end; returns the last text.
    private func visit(_ path: String) async throws -> [UInt8]? {
        let endpoint = try WebSocketEndpoint("ws://127.0.0.1:\(self.port)/\(path)")
        let eventLoop = self.eventLoop
        return try await withCheckedThrowingContinuation { continuation in
            eventLoop.execute {
                let line = EchoLine(continuation)
                line.transport = WebSocketTransport.connect(
                    to: endpoint, security: nil, on: eventLoop, timeout: .seconds(10), delegate: line)
            }
        }
    }
}

private final class EchoLine: TransportDelegate {
    var transport: WebSocketTransport?
    private var echo = Echo()
    private var isConnected = false
    private let continuation: CheckedContinuation<[UInt8]?, any Error>

    init(_ continuation: CheckedContinuation<[UInt8]?, any Error>) { self.continuation = continuation }

    func transportConnected(_ transport: any FeedTransport) { self.isConnected = true }

    func transportReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        self.transport?.write(self.echo.receive(bytes))
        if self.echo.isOver { self.transport?.close() }
    }

    func transportReadComplete() {}

    func transportClosed(_ error: TransportError?) {
        self.transport = nil
        // The suite cuts some connections on purpose; only one that never came about is a fault of the run.
        if let error, !self.isConnected {
            self.continuation.resume(throwing: error)
        } else {
            self.continuation.resume(returning: self.echo.lastText)
        }
    }
}
