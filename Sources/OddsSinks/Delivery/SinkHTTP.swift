import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import OddsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// POST over HTTPS, for as long as a delivery runs.
///
/// Addresses may hold secrets. They are handed to the client and to nobody else: no logger goes with them, and what
/// fails is told in words of our own. Redirects are not followed, for they could carry a secret to another host.
struct SinkHTTP: Sendable {
    struct Answer: Sendable {
        let status: Int
        /// The text of `Retry-After`.
        let retryAfter: String?
        let body: [UInt8]
    }

    /// Why there is no answer.
    struct Failure: Error, Equatable {
        let reason: String
        /// Whether the request may have been received and acted on.
        let mayHaveArrived: Bool
    }

    private static let maximumAnswer = 64 * 1024
    /// Alerts and signals come minutes apart; a connection kept for longer than a burst of them is more often dead than of use.
    private static let idleConnections = TimeAmount.seconds(15)

    private let client: HTTPClient

    /// Lends a client to `body` and shuts it down, with all its connections, before returning.
    static func with<Result>(
        connectTimeout: Duration, _ body: (SinkHTTP) async -> Result
    ) async -> Result {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout.connect = .nanoseconds(connectTimeout.wholeNanoseconds)
        // A refused connection is the outbox's to retry.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = Self.idleConnections
        let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
        let result = await body(SinkHTTP(client: client))
        // It throws when a connection was not closed cleanly, which leaves nothing behind either.
        try? await client.shutdown()
        return result
    }

    /// Posts a JSON body.
    ///
    /// The caller limits the time by cancelling the task.
    func post(
        _ url: String, headers: [(name: String, value: String)] = [], json: [UInt8]
    ) async throws(Failure) -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "oddstream")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: json))
        return try await self.perform(request)
    }

    /// Asks for an address. The caller limits the time by cancelling the task.
    func get(_ url: String) async throws(Failure) -> Answer {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "oddstream")
        return try await self.perform(request)
    }

    private func perform(_ request: HTTPClientRequest) async throws(Failure) -> Answer {
        do {
            let response = try await self.client.execute(request, deadline: .distantFuture)
            let body = try await response.body.collect(upTo: Self.maximumAnswer)
            return Answer(
                status: Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"),
                body: Array(body.readableBytesView))
        } catch {
            throw Self.failure(error)
        }
    }

    /// What went wrong, in words of our own: the client's could hold the address.
    private static func failure(_ error: any Error) -> Failure {
        switch error {
        case is CancellationError: Failure(reason: "the request was given up", mayHaveArrived: true)
        case is NIOConnectionError:
            Failure(reason: "no connection: check address and network", mayHaveArrived: false)
        case is NIOSSLError, is BoringSSLError:
            Failure(reason: "no secure connection: check the server's certificate", mayHaveArrived: false)
        case is NIOTooManyBytesError: Failure(reason: "the answer is too large", mayHaveArrived: true)
        case let error as IOError: Self.failure(error)
        case let error as HTTPClientError: Self.failure(error)
        default: Failure(reason: "the request failed (\(type(of: error)))", mayHaveArrived: true)
        }
    }

    private static func failure(_ error: IOError) -> Failure {
        switch error.errnoCode {
        case ECONNREFUSED:
            Failure(reason: "the connection was refused: check the address", mayHaveArrived: false)
        case EHOSTUNREACH, ENETUNREACH:
            Failure(reason: "there is no route to the server: check the network", mayHaveArrived: false)
        default: Failure(reason: "the connection broke", mayHaveArrived: true)
        }
    }

    private static func failure(_ error: HTTPClientError) -> Failure {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
            Failure(reason: "no connection in time: check address and network", mayHaveArrived: false)
        case .invalidURL, .emptyHost, .emptyScheme:
            Failure(reason: "the address cannot be used: check it", mayHaveArrived: false)
        case .remoteConnectionClosed:
            Failure(reason: "the server closed the connection without an answer", mayHaveArrived: true)
        case .cancelled: Failure(reason: "the request was given up", mayHaveArrived: true)
        default: Failure(reason: "the request failed: \(error.shortDescription)", mayHaveArrived: true)
        }
    }
}

extension SinkHTTP.Answer {
    /// How long the server asks to wait, from its `Retry-After`; nil when that is missing or a date.
    var pause: Duration? {
        self.retryAfter.flatMap { Int64($0) }.flatMap { SinkHTTP.Answer.pause(seconds: $0) }
    }

    /// A pause as servers name it, kept within a day.
    static func pause(seconds: Int64) -> Duration? { seconds < 0 ? nil : .seconds(min(seconds, 86_400)) }
}

extension String {
    /// Whether this is an http or https address with a host, no credentials in it and no white space.
    var isHTTPAddress: Bool {
        guard let scheme = ["https://", "http://"].first(where: { self.hasPrefix($0) }) else { return false }
        let authority = self.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return !authority.isEmpty && !authority.hasPrefix(":") && !authority.contains("@")
            && !self.contains { $0.isWhitespace }
    }
}
