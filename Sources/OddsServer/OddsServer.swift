import HTTPTypes
import Hummingbird
public import Logging
import NIOCore
public import OddsCore
public import ServiceLifecycle

/// The HTTP API: what the odds source, the bot and the history know, as JSON. It is for reading; the kill switch alone can be
/// turned, and only from this machine.
///
/// | path | answers |
/// | --- | --- |
/// | `/healthz` | `{"status":"ok"}` as long as the process serves |
/// | `/v1/status` | lines, series, counters, uptime and how many incidents are open |
/// | `/v1/markets` | the markets followed, `?series=` and `?role=` narrow |
/// | `/v1/odds` | the odds of every market that has any, `?series=` narrows |
/// | `/v1/odds/{market}` | one market's odds, microstructure and reference price, by condition id or slug, or `current` of `?series=` |
/// | `/v1/reference` | the price that current and next markets are decided by, and the price to beat; `?series=` narrows |
/// | `/v1/incidents` | what went wrong, the newest first; `?market=`, `?series=`, `?open=` and `?since=` narrow |
/// | `/v1/spikes` | odds over the threshold, the newest first; `?market=`, `?series=`, `?since=` narrow |
/// | `/v1/trades` | orders and what became of them; the same |
/// | `/v1/refusals` | signals that were not acted on; the same |
/// | `/v1/account` | cash, profit, drawdown, hit rate, exposure and the kill switch |
/// | `/v1/kill-switch` | `{"on":…,"by":…}`; `PUT` or `POST` with `{"on":true}` stops all buying |
/// | `/v1/history/{market}` | what was kept; `?kind=`, `?from=`, `?until=`, `?order=` |
/// | `/v1/history` | what was kept of all markets, and reference prices; `?symbol=` too |
/// | `/v1/latency` | from the exchange to odds and decisions, by percentiles; the clock's offset |
/// | `/metrics` | counters, gauges and histograms in Prometheus' text format |
/// | `/` | this list, for people |
///
/// Spikes, trades, refusals and the history come in pages: `?limit=` (1 to 1000, 100 by default) and `?cursor=`, which is the
/// `next` of the page before. They answer 404 when there is no bot, or no history.
///
/// Errors are `application/problem+json` (RFC 9457). The server reads the source at each request and keeps nothing.
public struct OddsServer: Service {
    private let configuration: OddsServerConfiguration
    private let source: any OddsSource
    private let bot: (any BotSource)?
    private let history: (any HistoryReader)?
    private let reference: (any ReferenceSource)?
    private let latency: LatencyMeter?
    private let clock: any StreamClock
    private let logger: Logger
    private let listening: @Sendable (_ host: String, _ port: Int) -> Void

    /// A server; nothing is bound before `run()`.
    ///
    /// - Parameters:
    ///   - configuration: where to listen.
    ///   - source: what to serve.
    ///   - bot: spikes, trades, account and kill switch; nil when there is no bot beside the stream.
    ///   - history: what was kept; nil when nothing is.
    ///   - reference: the price markets are decided by; nil when it is not followed.
    ///   - latency: where latency is measured; nil when it is not.
    ///   - clock: tells how long the source has been running.
    ///   - logger: receives one message when the server listens; each request at debug level.
    ///   - listening: called once with the host and the real port, also when port 0 was asked for.
    public init(
        configuration: OddsServerConfiguration, source: any OddsSource, bot: (any BotSource)? = nil,
        history: (any HistoryReader)? = nil, reference: (any ReferenceSource)? = nil, latency: LatencyMeter? = nil,
        clock: any StreamClock,
        logger: Logger,
        listening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.source = source
        self.bot = bot
        self.history = history
        self.reference = reference
        self.latency = latency
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

    private func router() -> Router<PeerRequestContext> {
        let answers = Answers(
            source: self.source, bot: self.bot, history: self.history, reference: self.reference,
            latency: self.latency, clock: self.clock,
            version: self.configuration.version)
        let router = Router(context: PeerRequestContext.self, options: .autoGenerateHeadEndpoints)
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
        router.get("/v1/reference") { request, _ in
            try request.allow("series")
            return try Response.json(answers.references(series: request.query("series")))
        }
        router.get("/v1/incidents") { request, _ in
            try request.allow("market", "series", "open", "since")
            return try Response.json(
                answers.incidents(
                    market: request.query("market"), series: request.query("series"), open: request.query("open"),
                    since: request.query("since")))
        }
        router.get("/v1/latency") { request, _ in
            try request.allow()
            return try Response.json(answers.latencies())
        }
        router.get("/metrics") { request, _ in
            try request.allow()
            return Response.text(answers.metrics(), type: MetricsPage.contentType)
        }
        self.addBot(to: router, answers)
        self.addHistory(to: router, answers)
        return router
    }

    private func addBot(to router: Router<PeerRequestContext>, _ answers: Answers) {
        router.get("/v1/spikes") { request, _ in try Response.json(answers.spikes(try RecordQuery(request))) }
        router.get("/v1/trades") { request, _ in try Response.json(answers.trades(try RecordQuery(request))) }
        router.get("/v1/refusals") { request, _ in try Response.json(answers.refusals(try RecordQuery(request))) }
        router.get("/v1/account") { request, _ in
            try request.allow()
            return try Response.json(answers.account())
        }
        router.get("/v1/kill-switch") { request, _ in
            try request.allow()
            return try Response.json(answers.killSwitch())
        }
        for method in [HTTPRequest.Method.put, .post] {
            router.on("/v1/kill-switch", method: method) { request, context in
                try request.allow()
                try KillSwitchGuard.check(request, isLocal: context.isLocal)
                let body = try await request.body.collect(upTo: KillSwitchGuard.largestBody)
                let isOn = try KillSwitchGuard.wish(in: Array(body.readableBytesView))
                return try Response.json(try await answers.turnKillSwitch(isOn))
            }
        }
    }

    private func addHistory(to router: Router<PeerRequestContext>, _ answers: Answers) {
        router.get("/v1/history") { request, _ in
            try request.allow("kind", "symbol", "from", "until", "order", "limit", "cursor")
            return try Response.json(try await answers.history(market: nil, request))
        }
        router.get("/v1/history/:market") { request, context in
            try request.allow("kind", "from", "until", "order", "limit", "cursor")
            return try Response.json(
                try await answers.history(market: try context.parameters.require("market"), request))
        }
    }
}
