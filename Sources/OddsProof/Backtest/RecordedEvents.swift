internal import Logging
public import OddsRecording
public import RealtimeOdds

/// The market events of recordings: they go through the live stream's own pipeline, in their own time, as fast as it goes.
public struct RecordedEvents: MarketEventSource {
    /// What is played.
    public let recording: Recording

    /// Recordings, one after the other: directories, files of them, tapes.
    ///
    /// - Throws: `RecordingError` when one is not there.
    public init(_ paths: [String]) throws { self.recording = try Recording(paths: paths) }

    /// The paths.
    public var name: String { self.recording.paths.joined(separator: ", ") }

    /// Tells the observer what the feed would have told it then.
    public func play(
        to observer: any MarketObserver, progress: @escaping @Sendable (Double) -> Void
    ) throws -> MarketEventSummary {
        let world = ReplayWorld(
            ReplayWorld.Setting(), observer: observer,
            logger: Logger(label: "oddstream.backtest") { _ in SwiftLogNoOpLogHandler() }, continuity: { _, _ in })
        let rows = RecordingRows(self.recording)
        var count: UInt64 = 0
        while let (row, received) = try rows.next() {
            world.take(row, at: received)
            count &+= 1
            if count & 0xFFF == 0 { progress(rows.share) }
        }
        world.finish()
        progress(1)
        var problems = rows.damage
        if world.jumps > 0 {
            problems.append(
                """
                The times of the recording jump \(world.jumps) times; each begins another session, and what is between is \
                skipped.
                """)
        }
        if world.lost > 0 {
            problems.append("\(world.lost) rows are missing in the recording: what happened then is not known.")
        }
        let messages = Int(clamping: world.heard)
        world.end()
        return MarketEventSummary(messages: messages, problems: problems)
    }
}
