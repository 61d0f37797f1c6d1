package import OddsCore
internal import ServiceLifecycle
internal import Synchronization

/// Lets a meter measure for a time, and keeps how it went.
package final class LatencyRun: Service {
    private let meter: LatencyMeter
    private let clock: any StreamClock
    private let duration: Duration
    private let progress: @Sendable (Double) -> Void
    private let course = Mutex<[LatencyProof.Moment]>([])

    /// - Parameter progress: gets the share that is done.
    package init(
        _ meter: LatencyMeter, lasting duration: Duration, clock: any StreamClock,
        progress: @escaping @Sendable (Double) -> Void
    ) {
        self.meter = meter
        self.clock = clock
        self.duration = duration
        self.progress = progress
    }

    /// So many moments are kept at most.
    private static let mostMoments = 600

    package func run() async throws {
        let begin = self.clock.now()
        let pace = max(.seconds(1), self.duration / Self.mostMoments)
        await cancelWhenGracefulShutdown {
            var taken = begin.monotonic
            while true {
                // A sleep throws only when the program ends.
                guard (try? await self.clock.sleep(for: .milliseconds(200))) != nil else { break }
                let now = self.clock.now()
                let elapsed = begin.monotonic.duration(to: now.monotonic)
                self.progress(elapsed.secondsValue / self.duration.secondsValue)
                let isOver = elapsed >= self.duration
                if isOver || taken.duration(to: now.monotonic) >= pace {
                    taken = now.monotonic
                    self.take(at: now)
                }
                if isOver { break }
            }
        }
    }

    private func take(at now: ReceiveTime) {
        let minute = self.meter.report(at: now).minute
        func summary(_ stage: LatencyStage) -> LatencySummary? {
            minute[stage].count > 0 ? LatencySummary(minute[stage]) : nil
        }
        let moment = LatencyProof.Moment(
            time: now.wall.milliseconds, readable: summary(.readable), odds: summary(.odds))
        self.course.withLock { $0.append(moment) }
    }

    /// How it went.
    package var moments: [LatencyProof.Moment] { self.course.withLock { $0 } }
}
