import Foundation
import PolymarketSimulator

/// An echo server on loopback, with the simulator's socket code.
enum EchoServer {
    private struct Echo: WebSocketService {
        func refusal() -> SimulatorFault.Refusal? { nil }
        func opened(_ link: WebSocketLink) {}
        func received(_ message: WebSocketMessage, from id: Int) -> [WebSocketCommand] {
            switch message {
            case .text(let bytes): [.text(bytes)]
            case .binary(let bytes): [.binary(bytes)]
            }
        }
        func closed(_ id: Int) {}
    }

    /// Serves until the process is ended.
    static func run(port: Int) async throws {
        let listener = try await WebSocketListener.bind(
            port: port, service: Echo(), maximumMessageSize: Conformance.maximumMessageSize)
        print("listening on \(listener.port)")
        // Whoever started us waits for this line.
        fflush(nil)
        try await Task.sleep(for: .seconds(86_400))
    }
}
