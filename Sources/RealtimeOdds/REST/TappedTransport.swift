package import OddsCore

/// Tells a tap of every exchange with one API: its path, its whole body or its failure.
package struct TappedTransport: RESTTransport {
    private let transport: any RESTTransport
    private let service: RESTExchange.Service
    private let clock: any StreamClock
    private let tap: any FeedTap

    /// The transport, tapped; the transport itself when nobody listens.
    package static func over(
        _ transport: any RESTTransport, _ service: RESTExchange.Service, clock: any StreamClock, tap: (any FeedTap)?
    ) -> any RESTTransport {
        guard let tap else { return transport }
        return TappedTransport(transport: transport, service: service, clock: clock, tap: tap)
    }

    /// The other transport's answer, told to the tap as it is handed on.
    package func get(_ url: String, timeout: Duration) async throws(RESTError) -> RESTResponse {
        var exchange = RESTExchange(
            service: self.service, path: Self.path(of: url), asked: self.clock.now(), status: nil)
        do throws(RESTError) {
            let response = try await self.transport.get(url, timeout: timeout)
            exchange.status = response.status
            exchange.body = response.body
            self.tap.answered(exchange, at: self.clock.now())
            return response
        } catch {
            exchange.failure = "\(error.code): \(error.message)"
            self.tap.answered(exchange, at: self.clock.now())
            throw error
        }
    }

    /// What follows the host.
    private static func path(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://"), let slash = url[scheme.upperBound...].firstIndex(of: "/") else {
            return "/"
        }
        return String(url[slash...])
    }
}
