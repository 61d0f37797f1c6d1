package import OddsCore
internal import ServiceLifecycle

/// Asks the CLOB's `/time` now and then, for whoever estimates how far the exchange's clock is off.
///
/// At first about once a second, until the bounds are as narrow as they get, then three times every twelve seconds: far
/// below any limit of the venue's. An answer that does not come is left out.
package final class ClockProbe: Service {
    private let client: ClobClient
    private let transport: HTTPClientTransport
    private let clock: any StreamClock
    private let wait: @Sendable (ReceiveTime) -> Duration
    private let answered: @Sendable (_ second: Int64, _ asked: ReceiveTime, _ received: ReceiveTime) -> Void

    /// So many questions are asked without a pause in between.
    private static let hurried = 15
    private static let pause = Duration.seconds(9)

    /// - Parameters:
    ///   - wait: how long to wait at a moment, so that the answer tells most.
    ///   - answered: told of every answer.
    /// - Throws: `RESTError` when the certificate authorities cannot be read.
    package init(
        configuration: RealtimeOddsConfiguration, clock: any StreamClock,
        wait: @escaping @Sendable (ReceiveTime) -> Duration,
        answered: @escaping @Sendable (_ second: Int64, _ asked: ReceiveTime, _ received: ReceiveTime) -> Void
    ) throws(RESTError) {
        self.transport = try HTTPClientTransport(
            certificateAuthorityFile: configuration.certificateAuthorityFile,
            connectTimeout: configuration.connectTimeout)
        self.client = ClobClient(
            base: configuration.clobREST, transport: self.transport, timeout: configuration.requestTimeout)
        self.clock = clock
        self.wait = wait
        self.answered = answered
    }

    /// A probe for a meter of latency.
    ///
    /// - Throws: `RESTError` when the certificate authorities cannot be read.
    package convenience init(
        configuration: RealtimeOddsConfiguration, clock: any StreamClock, meter: LatencyMeter
    ) throws(RESTError) {
        try self.init(configuration: configuration, clock: clock) {
            meter.wait(at: $0)
        } answered: {
            meter.answered(second: $0, asked: $1, received: $2)
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var count = 0
            while !Task.isCancelled {
                let pause = count < Self.hurried || count % 3 != 0 ? Duration.milliseconds(50) : Self.pause
                // A sleep throws only when the program ends.
                guard (try? await self.clock.sleep(for: pause)) != nil else { break }
                guard (try? await self.clock.sleep(for: self.wait(self.clock.now()))) != nil else { break }
                let asked = self.clock.now()
                // No answer is no news: the next question comes soon.
                if let time = try? await self.client.time() {
                    self.answered(time.seconds, asked, self.clock.now())
                }
                count += 1
            }
        }
        // A name that is being looked up cannot be called back, and the end of the program does not wait for it.
        Task.detached { [transport = self.transport] in await transport.shutdown() }
    }
}
