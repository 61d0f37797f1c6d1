import Benchmark
import OddsCore
import Synchronization

/// Decode alone, and the whole road from socket bytes to the board, per message; then what a reader pays.
///
/// Each iteration is a thousand messages (or reads), so the figures are in units of a thousand: microseconds per
/// iteration read as nanoseconds per message.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock], warmupIterations: 20, scalingFactor: .one,
        maxDuration: .seconds(3), maxIterations: 20_000)

    Replays.register()

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

    Benchmark("hash of a book of 60 levels x1000") { benchmark in
        var hasher = BookHasher(market: Frames.market, asset: Frames.yes)
        let levels = (1...30).map { (price: Price(rawValue: $0 * 100), size: Size(rawValue: Int64($0) * 1_250_000)) }
        let asks = levels.map { (price: $0.price.complement, size: $0.size) }
        benchmark.startMeasurement()
        for time in 0..<1000 {
            blackHole(
                hasher.hash(
                    timestamp: Timestamp(milliseconds: Int64(Frames.start + time)), bids: levels, asks: asks,
                    lastTradePrice: 0.48))
        }
        benchmark.stopMeasurement()
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
