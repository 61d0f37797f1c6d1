import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import OddsCore
import OddsSinks
import RealtimeOdds

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the doctor looks at, one after the other: each finding is told as soon as it is known.
struct Examination {
    private let settings: Settings
    private let configuration: RealtimeOddsConfiguration
    private let logger: Logger
    private let clock = SystemClock()

    init(settings: Settings, logger: Logger) throws(ConfigurationError) {
        self.settings = settings
        self.logger = logger
        var configuration = try settings.streamer()
        configuration.markets = try settings.markets(default: Run.defaultSeries)
        self.configuration = configuration
    }

    /// Runs every check. Nothing is thrown: what fails is a finding.
    func run(_ tell: (Finding) -> Void) async {
        tell(Finding(.ok, "configuration", "\(self.settings.entries.count) settings, the rest are defaults"))
        tell(self.openFiles())
        for finding in self.disk() { tell(finding) }
        let authorities = self.authorities()
        tell(authorities)
        for (name, url) in [
            ("market channel", self.configuration.marketWebSocket), ("CLOB REST", self.configuration.clobREST),
            ("Gamma REST", self.configuration.gammaREST),
        ] {
            tell(await self.connection(name, url))
        }
        guard authorities.verdict != .fail else { return }
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = self.configuration.certificateAuthorityFile { tls.trustRoots = .file(file) }
        var settings = HTTPClient.Configuration(tlsConfiguration: tls)
        // A refused connection is a finding, not a reason to try again until time is up.
        settings.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
        tell(await self.health(client))
        tell(await self.clockOffset(client))
        let (lookup, tokens) = await self.lookup(client)
        tell(lookup)
        tell(await self.firstBook(tokens))
        if let finding = await self.referencePrice() { tell(finding) }
        if let finding = self.signals() { tell(finding) }
        await self.alerts(tell)
        do {
            try await client.shutdown()
        } catch {
            self.logger.debug("HTTP client did not shut down", metadata: ["error": "\(error)"])
        }
    }
}

// MARK: The bot

extension Examination {
    /// How long the first reference price may take.
    private static let patience = Duration.seconds(5)

    /// Whether the reference price comes; nil when no market followed has one, or it is not wanted. The stream does without.
    private func referencePrice() async -> Finding? {
        guard let configuration = self.settings.reference(series: self.configuration.series),
            let symbol = configuration.symbols.min()
        else { return nil }
        let (prices, continuation) = AsyncStream<ReferenceTick>.makeStream()
        let streamer: ReferencePriceStreamer
        do {
            streamer = try ReferencePriceStreamer(configuration: configuration, logger: self.logger) { tick, _ in
                continuation.yield(tick)
            }
        } catch {
            return Finding(.fail, "reference price", error.message)
        }
        streamer.start()
        let first = await withTaskGroup(of: ReferenceTick?.self) { group in
            group.addTask { await prices.first { _ in true } }
            group.addTask {
                // It throws only when the price came first.
                try? await self.clock.sleep(for: Self.patience)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        let status = streamer.referenceStatus
        await streamer.stop()
        guard let first else {
            let why = status.lastError ?? "connected, but no price came"
            return Finding(
                .warn, "reference price",
                "\(symbol) did not come within \(DurationText.age(Self.patience)) (\(why)): check --rtds-ws, or leave it out with --no-reference"
            )
        }
        return Finding(
            .ok, "reference price",
            "\(first.feed.symbol) \(OddsText.dollars(first.price.doubleValue)) from \(first.feed.topic.rawValue)")
    }

    /// Whether signals can be sent to where they are wanted; nil when nobody wants them.
    private func signals() -> Finding? {
        do {
            guard try self.settings.signalDispatcher(clock: self.clock, logger: self.logger, history: nil) != nil else {
                return nil
            }
            let places = [Setting.signalWebhook, .signalCommand].filter { self.settings.text($0) != nil }
            return Finding(
                .ok, "signals", "\(places.map(\.option).joined(separator: " and ")) can be used; nothing was sent")
        } catch {
            return Finding(.fail, "signals", error.description)
        }
    }
}

// MARK: This machine

extension Examination {
    private func openFiles() -> Finding {
        var limit = rlimit()
        #if canImport(Darwin)
        let known = getrlimit(RLIMIT_NOFILE, &limit) == 0
        #else
        let known = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        #endif
        guard known else { return Finding(.warn, "open files", "the limit is not known (\(systemMessage(errno)))") }
        guard limit.rlim_cur >= 1024 else {
            return Finding(
                .warn, "open files", "at most \(limit.rlim_cur): raise it to 1024 or more with `ulimit -n 1024`")
        }
        return Finding(.ok, "open files", "at most \(limit.rlim_cur)")
    }

    private func disk() -> [Finding] {
        let path = self.settings.text(.data) ?? "."
        var findings: [Finding] = []
        if self.settings.text(.data) != nil {
            do {
                let directory = try DataDirectory(path)
                directory.leave()
                findings.append(Finding(.ok, "data directory", "\(path) can be written"))
            } catch {
                return [Finding(.fail, "data directory", error.message)]
            }
        }
        var space = statvfs()
        guard statvfs(path, &space) == 0 else {
            return findings + [Finding(.warn, "disk", "free space at \(path) is not known (\(systemMessage(errno)))")]
        }
        let free = UInt64(space.f_bavail) * UInt64(space.f_frsize) / 1_048_576
        let text = "\(free) MiB free at \(path)"
        return findings + [
            free < 1024
                ? Finding(.warn, "disk", "\(text): make room, or choose another place with --data DIR")
                : Finding(.ok, "disk", text)
        ]
    }

    private func authorities() -> Finding {
        if let file = self.configuration.certificateAuthorityFile {
            do {
                let count = try NIOSSLCertificate.fromPEMFile(file).count
                guard count > 0 else { throw NIOSSLError.failedToLoadCertificate }
                return Finding(.ok, "TLS", "\(count) certificate authorities in \(file)")
            } catch {
                return Finding(.fail, "TLS", "\(file) holds no PEM certificate that can be read: check --tls-ca")
            }
        }
        let urls = [self.configuration.marketWebSocket, self.configuration.clobREST, self.configuration.gammaREST]
        let isSecure = urls.contains { URLText($0, schemes: ["ws", "wss", "http", "https"])?.isSecure == true }
        guard isSecure else { return Finding(.ok, "TLS", "not used by these endpoints") }
        #if os(Linux)
        let places = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
        guard places.contains(where: { access($0, R_OK) == 0 }) else {
            return Finding(
                .warn, "TLS",
                "no system certificate authorities found: `apt-get install ca-certificates`, or --tls-ca FILE")
        }
        #endif
        return Finding(.ok, "TLS", "the system's certificate authorities")
    }
}

// MARK: Alerts

extension Examination {
    /// Who would be told of trouble, and whether that would arrive. Nothing is posted anywhere.
    private func alerts(_ tell: (Finding) -> Void) async {
        do {
            let destinations = try self.settings.alertDestinations(clock: self.clock, logger: self.logger)
            if destinations.isEmpty {
                tell(
                    Finding(
                        .warn, "alerts",
                        "nobody is told of trouble: name a Telegram chat (--telegram-chat) or a --webhook-url"))
            }
            for destination in destinations {
                if let telegram = destination as? TelegramSink {
                    for found in await telegram.examine() {
                        tell(Finding(found.isUsable ? .ok : .fail, "Telegram \(found.subject)", found.message))
                    }
                } else if let url = self.settings.text(.webhookURL) {
                    tell(await self.reachable(destination.name, url, "--webhook-url"))
                }
            }
            guard let heartbeat = try self.settings.heartbeat() else {
                return tell(
                    Finding(
                        .ok, "heartbeat", "none: with --heartbeat-url somebody would notice when this machine is gone"))
            }
            tell(await heartbeat.withURL { url in { await self.reachable("heartbeat", url, "--heartbeat-url") } }())
        } catch {
            tell(Finding(.fail, "alerts", error.description))
        }
    }

    /// Whether somebody listens at the address, of which only the host is shown.
    private func reachable(_ name: String, _ url: String, _ option: String) async -> Finding {
        let found = await self.connection(name, url)
        guard found.verdict == .fail else { return found }
        return Finding(.fail, name, "\(found.text). It is named by \(option)")
    }
}

// MARK: The exchange

extension Examination {
    private func connection(_ name: String, _ url: String) async -> Finding {
        guard let parts = URLText(url, schemes: ["ws", "wss", "http", "https"]) else {
            return Finding(.fail, name, "\(url) is no URL with a host", isExchange: true)
        }
        let start = self.clock.now().monotonic
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(5)).connect(host: parts.host, port: parts.port).get()
            let took = start.duration(to: self.clock.now().monotonic)
            let address = channel.remoteAddress.map { " (\($0.ipAddress ?? $0.description))" } ?? ""
            try await channel.close()
            return Finding(
                .ok, name, "\(parts.host):\(parts.port)\(address) accepts connections, \(DurationText.age(took))")
        } catch {
            return Finding(
                .fail, name,
                "\(parts.host):\(parts.port) accepts no connection: \(NetworkFault.reason(error)). "
                    + "Check network, firewall and endpoint option", isExchange: true)
        }
    }

    private func get(_ client: HTTPClient, _ url: String) async throws -> (status: UInt, body: String) {
        let response = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
        let body = try await response.body.collect(upTo: 4 * 1024 * 1024)
        return (response.status.code, String(buffer: body))
    }

    private func health(_ client: HTTPClient) async -> Finding {
        do {
            let answer = try await self.get(client, self.configuration.clobREST + "/ok")
            guard answer.status == 200 else {
                return Finding(
                    .fail, "CLOB /ok", "answered \(answer.status): \(Examination.hint(answer.status))", isExchange: true
                )
            }
            return Finding(.ok, "CLOB /ok", "healthy")
        } catch {
            return Finding(.fail, "CLOB /ok", Examination.explain(error), isExchange: true)
        }
    }

    private func clockOffset(_ client: HTTPClient) async -> Finding {
        do {
            let before = self.clock.now().wall
            let answer = try await self.get(client, self.configuration.clobREST + "/time")
            let after = self.clock.now().wall
            let text = answer.body.trimmingPrefix { !$0.isNumber }.prefix { $0.isNumber }
            guard answer.status == 200, let seconds = Int64(text) else {
                return Finding(
                    .fail, "clock", "CLOB /time answered \(answer.status): \(Examination.hint(answer.status))",
                    isExchange: true)
            }
            // The answer is cut to whole seconds: half a second is the best guess of what was cut.
            let local = (before.milliseconds + after.milliseconds) / 2
            let offset = local - (seconds * 1000 + 500)
            return Examination.judge(clockOffset: .milliseconds(offset))
        } catch {
            return Finding(.fail, "clock", Examination.explain(error), isExchange: true)
        }
    }

    /// Windows follow this machine's clock, so it must agree with the exchange's.
    static func judge(clockOffset offset: Duration) -> Finding {
        let milliseconds = offset.wholeNanoseconds / 1_000_000
        let size = DurationText.oneDecimal(Double(abs(milliseconds)) / 1000)
        guard abs(milliseconds) > 500 else {
            return Finding(.ok, "clock", "agrees with the exchange's, as far as whole seconds tell")
        }
        let text = "\(size) s \(milliseconds < 0 ? "behind" : "ahead of") the exchange"
        guard abs(milliseconds) > 2000 else { return Finding(.ok, "clock", text) }
        return Finding(.warn, "clock", "\(text): switch time synchronisation on (`timedatectl set-ntp true`)")
    }

    private func lookup(_ client: HTTPClient) async -> (Finding, [AssetID]) {
        let name = "Gamma look-up"
        for market in self.configuration.markets {
            let slugs: [String]
            switch market {
            case .assets(let assets): return (Finding(.ok, name, "not needed: tokens are named"), assets)
            case .condition: continue
            case .slug(let slug): slugs = [slug]
            case .series(let series): slugs = series.slugs(for: series.window(containing: self.clock.now().wall))
            }
            var lastAnswer = Finding(.fail, name, "no slug to look up", isExchange: true)
            for slug in slugs {
                do {
                    let answer = try await self.get(client, self.configuration.gammaREST + "/markets?slug=" + slug)
                    let tokens = answer.status == 200 ? GammaTokens.read(answer.body) : nil
                    if let tokens { return (Finding(.ok, name, "\(slug) has \(tokens.count) tokens"), tokens) }
                    lastAnswer = Finding(
                        .fail, name, "\(slug) was not found (status \(answer.status)): check the name and --gamma-rest",
                        isExchange: true)
                } catch {
                    lastAnswer = Finding(.fail, name, Examination.explain(error), isExchange: true)
                }
            }
            return (lastAnswer, [])
        }
        return (Finding(.ok, name, "skipped: only condition ids are named"), [])
    }

    private func firstBook(_ tokens: [AssetID]) async -> Finding {
        let name = "first book"
        guard !tokens.isEmpty else {
            return Finding(.warn, name, "skipped: no token is known; see the look-up above")
        }
        var configuration = self.configuration
        configuration.markets = [.assets(tokens)]
        configuration.lines = 1
        do {
            let streamer = try RealtimeOddsStreamer(configuration: configuration, logger: self.logger)
            let start = self.clock.now().monotonic
            streamer.start()
            let end = start.advanced(by: .seconds(8))
            while self.clock.now().monotonic < end {
                if streamer.markets.contains(where: { streamer.currentOdds($0.market.id)?.trust == .live }) { break }
                try await self.clock.sleep(for: .milliseconds(20))
            }
            let took = start.duration(to: self.clock.now().monotonic)
            let line = streamer.status.lines.first
            let snapshot = streamer.markets.lazy.compactMap { streamer.currentOdds($0.market.id) }.first
            await streamer.stop()
            if let snapshot, took < .seconds(8) {
                let odds = OddsText.percent(snapshot.displayedOdds)
                return Finding(.ok, name, "came over the WebSocket after \(DurationText.age(took)), YES at \(odds)")
            }
            let why = line?.lastError ?? (line.map { "the line is \($0.state)" } ?? "no connection was made")
            return Finding(.fail, name, "did not come within 8 s (\(why)): check --market-ws and TLS", isExchange: true)
        } catch {
            return Finding(.fail, name, "\(error)", isExchange: true)
        }
    }

    private static func hint(_ status: UInt) -> String {
        switch status {
        case 401, 403: "access is refused from here; check for a proxy, or a region that is blocked"
        case 404: "nothing is there; check --clob-rest"
        case 425, 503: "the exchange is restarting; try again in a minute"
        case 429: "too many requests; wait a minute"
        default: "try again, and check the endpoint option if it stays"
        }
    }

    private static func explain(_ error: any Error) -> String {
        "no answer: \(NetworkFault.reason(error)). Check network, endpoint options and --tls-ca"
    }
}

/// The token ids in a Gamma answer, which come as JSON inside a string.
enum GammaTokens {
    private struct Row: Decodable {
        let clobTokenIds: String?
    }

    /// The tokens of the first market; nil when there is none.
    static func read(_ body: String) -> [AssetID]? {
        let decoder = JSONDecoder()
        guard let rows = try? decoder.decode([Row].self, from: Data(body.utf8)), let text = rows.first?.clobTokenIds,
            let tokens = try? decoder.decode([String].self, from: Data(text.utf8)), !tokens.isEmpty
        else { return nil }
        return tokens.map { AssetID($0) }
    }
}
