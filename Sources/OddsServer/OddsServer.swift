import HTTPTypes
import Hummingbird
public import Logging
import NIOCore
public import OddsCore
public import ServiceLifecycle

/// The HTTP API: what the odds source knows, as JSON, to read only.
///
/// | path | answers |
/// | --- | --- |
/// | `/healthz` | `{"status":"ok"}` as long as the process serves |
/// | `/v1/status` | lines, series, counters, uptime and how many incidents are open |
/// | `/v1/markets` | the markets followed, `?series=` and `?role=` narrow |
/// | `/v1/odds` | the odds of every market that has any, `?series=` narrows |
/// | `/v1/odds/{market}` | one market's odds and microstructure, by condition id or slug, or `current` of `?series=` |
/// | `/v1/incidents` | what went wrong, the newest first; `?market=`, `?series=`, `?open=` and `?since=` narrow |
/// | `/` | this list, for people |
///
/// Errors are `application/problem+json` (RFC 9457). The server reads the source at each request and keeps nothing.
public struct OddsServer: Service {
    private let configuration: OddsServerConfiguration
    private let source: any OddsSource
    private let clock: any StreamClock
    private let logger: Logger
    private let listening: @Sendable (_ host: String, _ port: Int) -> Void

    /// A server; nothing is bound before `run()`.
    ///
    /// - Parameters:
    ///   - configuration: where to listen.
    ///   - source: what to serve.
    ///   - clock: tells how long the source has been running.
    ///   - logger: receives one message when the server listens; each request at debug level.
    ///   - listening: called once with the host and the real port, also when port 0 was asked for.
    public init(
        configuration: OddsServerConfiguration, source: any OddsSource, clock: any StreamClock, logger: Logger,
        listening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.source = source
        self.clock = clock
        self.logger = logger
        self.listening = listening
    }

    /// Serves until the task is cancelled or the service group shuts down; idle connections are closed then.
    ///
    /// - Throws: `OddsServerError` when the address cannot be bound.
    public func run() async throws {
        do {
            try await self.application().run()
        } catch let error where error is IOError || error is SocketAddressError.UnknownHost {
            throw OddsServerError.binding(host: self.configuration.host, port: self.configuration.port, error)
        }
    }

    /// The application behind `run()`; tests ask it without a socket.
    func application() -> some ApplicationProtocol {
        let logger = self.logger
        let listening = self.listening
        let host = self.configuration.host
        let configuredPort = self.configuration.port
        // Hummingbird's own messages (one per start and stop) say less than ours: they stay at warning level.
        var quiet = logger
        if quiet.logLevel == .info || quiet.logLevel == .notice { quiet.logLevel = .warning }
        return Application(
            router: self.router(),
            configuration: ApplicationConfiguration(
                address: .hostname(self.configuration.host, port: self.configuration.port),
                serverName: "oddstream"),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuredPort
                logger.info("HTTP API listening", metadata: ["http.url": "http://\(OddsServer.inURL(host)):\(port)/"])
                listening(host, port)
            },
            logger: quiet)
    }

    /// The host as it stands in a URL: an IPv6 address goes in brackets.
    public static func inURL(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    private func router() -> Router<BasicRequestContext> {
        let answers = Answers(
            source: self.source, clock: self.clock, version: self.configuration.version)
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.addMiddleware {
            PolicyMiddleware()
        }
        router.get("/") { request, _ in
            try request.allow()
            return Response.text(answers.index)
        }
        router.get("/healthz") { request, _ in
            try request.allow()
            return try Response.json(HealthRow(status: "ok"))
        }
        router.get("/v1/status") { request, _ in
            try request.allow()
            return try Response.json(answers.status())
        }
        router.get("/v1/markets") { request, _ in
            try request.allow("series", "role")
            return try Response.json(answers.markets(series: request.query("series"), role: request.query("role")))
        }
        router.get("/v1/odds") { request, _ in
            try request.allow("series")
            return try Response.json(answers.odds(series: request.query("series")))
        }
        router.get("/v1/odds/:market") { request, context in
            let name = try context.parameters.require("market")
            if name == "current" {
                try request.allow("series")
                return try Response.json(answers.currentOdds(series: request.query("series")))
            }
            try request.allow()
            return try Response.json(answers.odds(market: name))
        }
        router.get("/v1/incidents") { request, _ in
            try request.allow("market", "series", "open", "since")
            return try Response.json(
                answers.incidents(
                    market: request.query("market"), series: request.query("series"), open: request.query("open"),
                    since: request.query("since")))
        }
        return router
    }
}
