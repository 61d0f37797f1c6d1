import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import OddsCore
import Synchronization

/// REST over AsyncHTTPClient: TLS 1.2 or newer with verified certificates, answers up to a fixed size.
///
/// It owns connections from the first request on: `shutdown()` ends them, and must be called before the last reference
/// goes if there was a request.
package final class HTTPClientTransport: RESTTransport {
    private enum State {
        case unused
        case open(HTTPClient)
        case closed
    }

    private let state = Mutex(State.unused)
    private let configuration: HTTPClient.Configuration
    private let maximumBodySize: Int

    /// A transport with its own connection pool; nothing is connected before the first request.
    ///
    /// - Parameters:
    ///   - certificateAuthorityFile: a PEM file with the authorities to trust instead of the system's; nil for the system's.
    ///   - maximumBodySize: the largest body accepted, in bytes.
    ///   - connectTimeout: how long a connection attempt may take.
    package init(
        certificateAuthorityFile: String?, maximumBodySize: Int = 4 * 1024 * 1024,
        connectTimeout: Duration = .seconds(5)
    ) throws(RESTError) {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let file = certificateAuthorityFile {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            } catch {
                throw RESTError(
                    .certificateFile, "cannot read certificates from '\(file)': name a readable PEM file", cause: error)
            }
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.timeout.connect = .nanoseconds(connectTimeout.wholeNanoseconds)
        // A refused connection is the caller's to retry: it knows how urgent the answer is.
        configuration.connectionPool.retryConnectionEstablishment = false
        self.configuration = configuration
        self.maximumBodySize = maximumBodySize
    }

    /// The client, made for the first request, so that a transport that was never used has nothing to shut down.
    private func client() throws(RESTError) -> HTTPClient {
        let client = self.state.withLock { state -> HTTPClient? in
            switch state {
            case .open(let client): return client
            case .closed: return nil
            case .unused:
                let client = HTTPClient(
                    eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: self.configuration)
                state = .open(client)
                return client
            }
        }
        guard let client else {
            throw RESTError(.cancelled, "the HTTP client was shut down: nothing is asked any more")
        }
        return client
    }

    package func get(_ url: String, timeout: Duration) async throws(RESTError) -> RESTResponse {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else { throw self.badAddress(url, cause: nil) }
        let client = try self.client()
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "oddstream")
        do {
            let deadline = NIODeadline.now() + .nanoseconds(timeout.wholeNanoseconds)
            let response = try await client.execute(request, deadline: deadline)
            let body = try await self.body(of: response, until: deadline)
            return RESTResponse(
                status: Int(response.status.code), contentType: response.headers.first(name: "Content-Type"),
                retryAfter: response.headers.first(name: "Retry-After"), body: Array(body.readableBytesView))
        } catch {
            throw self.restError(error, url: url, timeout: timeout)
        }
    }

    /// The client's deadline ends with the head of an answer; the body has to come before it too.
    private func body(of response: HTTPClientResponse, until deadline: NIODeadline) async throws -> ByteBuffer {
        let limit = self.maximumBodySize
        return try await withThrowingTaskGroup(of: ByteBuffer.self) { race in
            race.addTask { try await response.body.collect(upTo: limit) }
            race.addTask {
                try await Task.sleep(for: .nanoseconds((deadline - .now()).nanoseconds))
                throw HTTPClientError.deadlineExceeded
            }
            defer { race.cancelAll() }
            guard let body = try await race.next() else { throw CancellationError() }
            return body
        }
    }

    private func badAddress(_ url: String, cause: (any Error)?) -> RESTError {
        RESTError(
            .badAddress, "'\(url)' is not an address: it begins with http:// or https:// and names a host", cause: cause
        )
    }

    private func unreachable(_ url: String, _ error: any Error) -> RESTError {
        RESTError(.unreachable, "no answer from \(url): \(NetworkFault.reason(error))", cause: error)
    }

    private func restError(_ error: any Error, url: String, timeout: Duration) -> RESTError {
        if Task.isCancelled || error is CancellationError {
            return RESTError(.cancelled, "the request for \(url) was cancelled", cause: error)
        }
        if error is NIOTooManyBytesError {
            return RESTError(
                .tooLarge, "the answer to \(url) is larger than \(self.maximumBodySize) bytes", cause: error)
        }
        guard let clientError = error as? HTTPClientError else {
            return self.unreachable(url, error)
        }
        switch clientError {
        case .deadlineExceeded, .readTimeout, .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
            return RESTError(.timeout, "no answer from \(url) within \(timeout.secondsValue) s", cause: error)
        case .cancelled:
            return RESTError(.cancelled, "the request for \(url) was cancelled", cause: error)
        case .invalidURL, .emptyHost:
            return self.badAddress(url, cause: error)
        default:
            return self.unreachable(url, error)
        }
    }

    /// Closes every connection; requests that are still out fail. Nothing is left when it returns.
    package func shutdown() async {
        let client = self.state.withLock { state -> HTTPClient? in
            defer { state = .closed }
            if case .open(let client) = state { return client }
            return nil
        }
        guard let client else { return }
        // It throws when it was called before, or when a connection was not closed cleanly: both leave nothing behind.
        try? await client.shutdown()
    }
}
