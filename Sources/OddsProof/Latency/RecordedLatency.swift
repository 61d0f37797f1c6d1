internal import Logging
package import OddsCore
package import OddsRecording
internal import OddsReports

/// Measures the latency that a recording holds: from the exchange's stamps to the reads from the socket, by a replay.
package enum RecordedLatency {
    /// Runs it.
    ///
    /// - Parameter progress: told of the share done, many times.
    /// - Throws: `ProofError` when the recording has nothing that can be read.
    package static func measure(
        _ recording: Recording, tokens: [AssetID] = [], program: String, now: Timestamp,
        progress: (Double) -> Void = { _ in }
    ) throws -> LatencyProof {
        // A recording is hours of another machine's clock, which may have been corrected at any rate.
        let meter = LatencyMeter(drift: 100, isRelative: true)
        var setting = ReplayWorld.Setting()
        setting.tokens = tokens
        let world = ReplayWorld(
            setting, observer: LatencyListener(meter),
            logger: Logger(label: "latency") { _ in SwiftLogNoOpLogHandler() }, continuity: { _, _ in })
        let rows = RecordingRows(recording)
        var first: ReceiveTime?
        var last = ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0)
        var course: [LatencyProof.Moment] = []
        var taken: Int64?
        var count: UInt64 = 0
        while let (row, received) = try rows.next() {
            if first == nil { first = received }
            last = received
            world.take(row, at: received)
            count += 1
            if count % 4096 == 0 { progress(rows.share) }
            let minute = received.wall.seconds / 60
            if taken != minute, count % 64 == 0 {
                if taken != nil { course.append(Self.moment(meter, at: received, world)) }
                taken = minute
            }
        }
        world.finish()
        guard let first else { throw ProofError("The recording has no rows that can be read. Give another one.") }
        let end = world.clock.now()
        meter.finish(at: end)
        let report = meter.report(at: end)
        world.end()
        progress(1)
        var proof = LatencyProof(
            program: program, source: recording.files.map(\.name).joined(separator: ", "),
            from: first.wall.milliseconds, now: last.wall.milliseconds,
            ran: first.monotonic.duration(to: last.monotonic).secondsValue, markets: ["recording"],
            report: report, course: course)
        proof.header.generatedAt = now.milliseconds
        return proof
    }

    private static func moment(
        _ meter: LatencyMeter, at received: ReceiveTime, _ world: ReplayWorld
    ) -> LatencyProof.Moment {
        let minute = meter.report(at: world.clock.now()).minute
        return LatencyProof.Moment(
            time: received.wall.milliseconds,
            readable: minute[.readable].count > 0 ? LatencySummary(minute[.readable]) : nil, odds: nil)
    }
}
