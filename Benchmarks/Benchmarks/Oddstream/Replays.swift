import Benchmark
import Foundation
import OddsProof

/// A compressed recording of the simulated exchange through the whole pipeline in virtual time: inflating, decoding,
/// books, arbitration, liveness, incidents, spikes and trading, on one core.
enum Replays {
    /// Made once: two lines of three busy markets.
    static let recording: SimulatedRecording = {
        do {
            let path = FileManager.default.temporaryDirectory.appending(path: "oddstream-bench-\(UUID().uuidString)")
                .path
            return try SimulatedRecording(path: path, markets: 3, lasting: .seconds(300))
        } catch {
            fatalError("no recording could be made: \(error)")
        }
    }()

    static func register() {
        Benchmark(
            "replay of a compressed recording, all frames",
            configuration: .init(
                metrics: [.wallClock, .throughput], warmupIterations: 1, maxDuration: .seconds(20), maxIterations: 20)
        ) { benchmark in
            let recording = Self.recording
            benchmark.startMeasurement()
            do {
                let outcome = try Replay([recording.path]).run()
                benchmark.stopMeasurement()
                guard outcome.frames == recording.frames else { fatalError("frames were lost") }
                print("replayed \(outcome.frames) frames at \(Int(outcome.framesPerSecond)) frames/s")
            } catch {
                fatalError("the recording cannot be replayed: \(error)")
            }
        }
    }
}
