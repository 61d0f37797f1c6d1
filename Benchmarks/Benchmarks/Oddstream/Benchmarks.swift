import Benchmark
import OddsCore
import Synchronization

/// Decode alone, and the whole road from socket bytes to the board, per message; then what a reader pays.
///
/// Each iteration is a thousand messages (or reads), so the figures are in units of a thousand: microseconds per
/// iteration read as nanoseconds per message.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .cpuTotal, .throughput], warmupIterations: 20, scalingFactor: .one,
        maxDuration: .seconds(3), maxIterations: 20_000)

    for (name, frame) in Frames.all {
        Benchmark("decode \(name) x1000") { benchmark in
            var decoder = MarketFrameDecoder()
            var sink = CountingHandler()
            let bytes = Array(frame.utf8)
            benchmark.startMeasurement()
            bytes.withUnsafeBytes { bytes in
                for _ in 0..<1000 {
                    do { try decoder.decode(bytes, into: &sink) } catch { fatalError("\(name): \(error)") }
                }
            }
            benchmark.stopMeasurement()
            blackHole(sink.events)
        }
    }

    for (name, messages) in Frames.flows {
        Benchmark("bytes to board, \(name) x1000") { benchmark in
            let road = Road()
            var stream = Frames.webSocketBytes(Frames.snapshot)
            road.receive(&stream)
            var bytes: [UInt8] = []
            for index in 0..<1000 { bytes += Frames.webSocketBytes(messages(index)) }
            benchmark.startMeasurement()
            road.receive(&bytes)
            benchmark.stopMeasurement()
            guard road.books.counters.malformedFrames == 0 else { fatalError("\(name) does not decode") }
            blackHole(road.books.counters)
        }
    }

    Benchmark("currentOdds, quiet x1000") { benchmark in
        let road = Road()
        var stream = Frames.webSocketBytes(Frames.snapshot)
        road.receive(&stream)
        benchmark.startMeasurement()
        for _ in 0..<1000 { blackHole(road.board.currentOdds(Frames.market)) }
        benchmark.stopMeasurement()
    }

    Benchmark("currentOdds while a line writes at full speed x1000") { benchmark in
        let writer = BusyWriter()
        writer.start()
        benchmark.startMeasurement()
        for _ in 0..<1000 { blackHole(writer.board.currentOdds(Frames.market)) }
        benchmark.stopMeasurement()
        guard writer.stop() > 0 else { fatalError("the writer wrote nothing") }
    }
}
