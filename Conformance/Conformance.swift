import Foundation
import NIOCore
import NIOPosix

/// Our WebSocket ends as partners of a conformance suite: `client PORT` echoes through every case that a fuzzing server
/// on loopback offers; `server PORT` is an echo server (port 0: any) for a fuzzing client.
@main
enum Conformance {
    /// The suite's largest messages have 16 MiB.
    static let maximumMessageSize = 64 * 1024 * 1024

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let mode = arguments.first, let port = arguments.last.flatMap({ UInt16($0) }) else {
            print("usage: WebSocketConformance client PORT | server PORT")
            exit(64)
        }
        switch mode {
        case "client": try await EchoClient(port: Int(port)).run()
        case "server": try await EchoServer.run(port: Int(port))
        default:
            print("\(mode) is neither client nor server")
            exit(64)
        }
    }
}
