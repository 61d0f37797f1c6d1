import OddsCore
import RealtimeOdds
import ServiceLifecycle

/// Keeps the reference price with the markets that are followed: symbols come and go with them.
struct ReferenceFollower: Service {
    let reference: ReferencePriceStreamer
    let source: any LiveOddsSource
    let clock: any StreamClock

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                self.reference.follow(only: self.source.markets.map(\.market))
                // It throws only when the program ends.
            } while (try? await self.clock.sleep(for: .seconds(1))) != nil
        }
    }
}
