import OddsCore
import RealtimeOdds
import ServiceLifecycle

/// Asks Gamma how markets ended that nobody follows any more: after a restart, or when the feed did not tell.
///
/// A service only so that its connections end with the program.
final class GammaOutcomes: Service {
    private let transport: HTTPClientTransport
    private let client: GammaClient

    /// - Parameter tap: hears every exchange; nil costs nothing.
    /// - Throws: `ProgramFailure` when the certificate authorities cannot be read.
    init(
        _ configuration: RealtimeOddsConfiguration, clock: any StreamClock, tap: (any FeedTap)?
    ) throws(ProgramFailure) {
        do {
            self.transport = try HTTPClientTransport(
                certificateAuthorityFile: configuration.certificateAuthorityFile,
                connectTimeout: configuration.connectTimeout)
        } catch {
            throw ProgramFailure(status: .configuration, message: error.message)
        }
        self.client = GammaClient(
            base: configuration.gammaREST,
            transport: TappedTransport.over(self.transport, .gamma, clock: clock, tap: tap),
            timeout: configuration.requestTimeout)
    }

    /// What the venue says of a market, by its slug, or by its condition id when it has none.
    func finding(of market: MarketID, slug: String) async throws(RESTError) -> MarketFinding {
        if slug.isEmpty { return try await self.client.market(condition: market) }
        return try await self.client.market(slug: slug)
    }

    func run() async throws {
        // It throws only when it is cancelled, and then it is time as well.
        try? await gracefulShutdown()
        await self.transport.shutdown()
    }
}
