import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import OddsCore
import OddsSinks
import RealtimeOdds
import ServiceLifecycle

/// Where a dead-man switch is called. The address is its own password: it prints as its host only.
struct HeartbeatTarget: Sendable, CustomStringConvertible {
    private let url: Secret
    /// What may be shown.
    let host: String

    /// nil when it is no http or https address with a host.
    init?(_ text: String) {
        guard let secret = try? Secret(text) else { return nil }
        self.init(secret)
    }

    /// nil when it is no http or https address with a host.
    init?(_ secret: Secret) {
        guard let parts = secret.withText({ URLText($0, schemes: ["http", "https"]) }) else { return nil }
        self.url = secret
        self.host = "\(parts.host):\(parts.port)"
    }

    var description: String { "heartbeat at \(self.host)" }

    /// Lends the address. Whoever borrows it must not log it, nor put it into an error.
    func withURL<Result>(_ body: (String) throws -> Result) rethrows -> Result { try self.url.withText(body) }
}

/// Calls an address every minute while odds are live, so that somebody else notices when this program, its machine or
/// its network is gone: the switch raises the alarm when the calls stop.
///
/// Healthy is when a current or fixed market is `live` and no series is without its current market. When it is not, nothing
/// is called. A call that fails is not repeated: the next one is due a minute later anyway.
struct HeartbeatService: Service {
    static let interval = Duration.seconds(60)
    /// How soon after odds are live again the next call is made.
    static let look = Duration.seconds(1)
    private static let timeout = TimeAmount.seconds(10)

    private let target: HeartbeatTarget
    private let source: any OddsSource
    private let acceptsFallback: Bool
    private let clock: any StreamClock
    private let logger: Logger

    init(
        target: HeartbeatTarget, source: any OddsSource, acceptsFallback: Bool = false, clock: any StreamClock,
        logger: Logger
    ) {
        self.target = target
        self.source = source
        self.acceptsFallback = acceptsFallback
        self.clock = clock
        self.logger = logger
    }

    func run() async {
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        settings.timeout.connect = Self.timeout
        settings.connectionPool.retryConnectionEstablishment = false
        settings.connectionPool.idleTimeout = .seconds(5)
        let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: settings)
        await cancelWhenGracefulShutdown { await self.beat(client) }
        // It throws when a connection was not closed cleanly, which leaves nothing behind either.
        try? await client.shutdown()
    }

    private func beat(_ client: HTTPClient) async {
        var due = self.clock.now().monotonic
        var problem: String?
        // The sleep throws only when the program ends.
        while (try? await self.clock.sleep(for: Self.look)) != nil {
            let now = self.clock.now().monotonic
            let observation = AlertRules.Observation(of: self.source)
            guard now >= due, observation.isHealthy(acceptingFallback: self.acceptsFallback) else { continue }
            due = now.advanced(by: Self.interval)
            let outcome = await self.call(client)
            guard !Task.isCancelled else { return }
            if outcome != problem { self.tell(outcome) }
            problem = outcome
        }
    }

    /// What went wrong; nil when nothing did. In words of our own: the client's could hold the address.
    private func call(_ client: HTTPClient) async -> String? {
        do {
            var request = self.target.withURL { HTTPClientRequest(url: $0) }
            request.headers.add(name: "User-Agent", value: "oddstream")
            let response = try await client.execute(request, timeout: Self.timeout)
            // Read and thrown away, so that the connection can be used again or closed.
            for try await part in response.body where part.readableBytes > 1 << 20 { break }
            guard (200..<300).contains(response.status.code) else {
                return "it answered with status \(response.status.code): check --heartbeat-url"
            }
            return nil
        } catch is HTTPClientError {
            return "no answer in time, or the address cannot be used: check network and --heartbeat-url"
        } catch {
            return "\(NetworkFault.reason(error)): check network and --heartbeat-url"
        }
    }

    private func tell(_ problem: String?) {
        guard let problem else {
            return self.logger.info("Heartbeat gets through", metadata: ["heartbeat.host": "\(self.target.host)"])
        }
        self.logger.warning(
            "Heartbeat does not get through",
            metadata: ["heartbeat.host": "\(self.target.host)", "reason": "\(problem)"])
    }
}
