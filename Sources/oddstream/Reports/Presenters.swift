import OddsCore
import OddsTrading
import RealtimeOdds
import ServiceLifecycle
import Synchronization

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

/// A view's two sources: what can be asked, and what happens.
struct OddsView: Sendable {
    let streamer: any LiveOddsSource
    /// What is told beside the updates.
    let news: NewsFeed
    /// Odds from which a side stands out.
    var threshold = SpikeDetectorConfiguration().threshold
    /// Lines under the markets, such as the account.
    var notes: @Sendable () -> [String] = { [] }
    let clock = SystemClock()

    /// Every market with its odds, as the source orders them.
    var rows: [WatchFrame.Row] {
        self.streamer.markets.map { WatchFrame.Row(status: $0, snapshot: self.streamer.currentOdds($0.market.id)) }
    }
}

/// `--format jsonl`: one row per update, with the keys of `/v1/odds`. Ends quietly when the reader of the pipe goes.
struct JSONLinesPresenter: Service {
    let view: OddsView
    let sink: ByteSink

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.follow() }
        await self.sink.flush()
        try failUnlessPipeClosed(self.sink.failure)
    }

    @concurrent
    private func follow() async {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var last = LastSnapshots()
        for await update in self.view.streamer.updates(.lossless(capacity: 65_536)) {
            let snapshot = last.snapshot(for: update, followed: self.view.streamer.markets.lazy.map(\.market.id))
            // A row is made of numbers and texts, all of which JSON can hold.
            guard let row = try? encoder.encode(OddsRow(update, snapshot: snapshot)) else { continue }
            let isTaken = self.sink.append { bytes in
                bytes.append(contentsOf: row)
                bytes.append(UInt8(ascii: "\n"))
            }
            if !isTaken { return }
            await self.sink.waitForRoom()
        }
    }
}

/// The last values of each market, as the reader of the updates has seen them: when a resolution is told, the market itself
/// may be gone already, and a rollover's row should not be ahead of the rows around it.
struct LastSnapshots {
    private var snapshots: [MarketID: OddsSnapshot] = [:]

    /// The values that belong to an update which carries none; nil when there were none.
    ///
    /// - Parameter followed: the markets there are now; asked for at rollovers, to forget the others.
    mutating func snapshot(for update: OddsUpdate, followed: @autoclosure () -> some Sequence<MarketID>)
        -> OddsSnapshot?
    {
        switch update {
        case .odds(let snapshot), .trust(let snapshot, _):
            self.snapshots[snapshot.marketID] = snapshot
            return snapshot
        case .rollover(let receipt):
            let followed = Set(followed())
            // Those that were replaced just now may still be resolved.
            let previous = receipt.previous?.id
            self.snapshots = self.snapshots.filter { followed.contains($0.key) || $0.key == previous }
            return self.snapshots[receipt.market.id]
        case .resolution(let resolution): return self.snapshots.removeValue(forKey: resolution.market.id)
        case .overflow: return nil
        }
    }
}

/// The view for pipes and files.
struct PlainPresenter: Service {
    let view: OddsView
    let sink: ByteSink
    let style: TextStyle
    let interval: Duration

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.show() }
        await self.sink.flush()
        try failUnlessPipeClosed(self.sink.failure)
    }

    @concurrent
    private func show() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.follow() }
            group.addTask { await self.followNews() }
            group.addTask { await self.summarise() }
            await group.next()
            group.cancelAll()
        }
    }

    private func follow() async {
        let report = PlainReport(style: self.style)
        for await update in self.view.streamer.updates() {
            for line in report.lines(for: update, at: self.view.clock.now().wall) {
                guard self.sink.append(line + "\n") else { return }
            }
        }
    }

    private func followNews() async {
        for await (word, text) in self.view.news.items {
            guard self.sink.append(PlainReport.line(self.view.clock.now().wall, word, text) + "\n") else { return }
        }
    }

    private func summarise() async {
        let report = PlainReport(style: self.style)
        var rate = MessageRate()
        _ = rate.rate(count: 0, at: self.view.clock.now().monotonic)
        // The first line comes early, so that nobody wonders whether anything happens.
        var wait = Duration.seconds(1)
        while (try? await self.view.clock.sleep(for: wait)) != nil {
            wait = self.interval
            let status = self.view.streamer.status
            let now = self.view.clock.now()
            let count = status.messages
            let perSecond = rate.rate(count: count, at: now.monotonic)
            let notes = self.view.notes().map { PlainReport.line(now.wall, "bot", $0) }
            for line in report.summary(self.view.rows, status: status, messagesPerSecond: perSecond, now: now) + notes {
                guard self.sink.append(line + "\n") else { return }
            }
        }
    }
}

/// The table that redraws in place, at most ten times a second and only the lines that changed.
struct TablePresenter: Service {
    let view: OddsView
    let title: String
    let url: @Sendable () -> String?
    let log: ProgramLog
    let style: TextStyle

    func run() async throws {
        self.log.keep()
        Terminal.take()
        let last = await cancelWhenGracefulShutdown { await self.show() }
        Terminal.restore()
        self.log.release()
        let sink = ByteSink(descriptor: 1, label: "table")
        // The second screen is gone with all that was on it: what was seen last stays in the first.
        for line in last.dropLast(2) { sink.append(line + "\n") }
        await sink.flush()
    }

    @concurrent
    private func show() async -> [String] {
        let events = RecentEvents()
        return await withTaskGroup(of: [String]?.self) { group in
            group.addTask {
                await self.follow(events)
                return nil
            }
            group.addTask {
                await self.followNews(events)
                return nil
            }
            group.addTask { await self.draw(events) }
            var last: [String] = []
            for await lines in group {
                if let lines { last = lines }
                group.cancelAll()
            }
            return last
        }
    }

    private func follow(_ events: RecentEvents) async {
        let log = EventLog(style: self.style)
        for await update in self.view.streamer.updates() {
            for (word, text) in log.events(in: update) { self.append(word, text, to: events) }
        }
    }

    private func followNews(_ events: RecentEvents) async {
        for await (word, text) in self.view.news.items { self.append(word, text, to: events) }
    }

    private func append(_ word: String, _ text: String, to events: RecentEvents) {
        let time = ClockText.seconds(self.view.clock.now().wall)
        events.append(["\(time)  \(word.padded(to: 9))  \(text)"])
    }

    private func draw(_ events: RecentEvents) async -> [String] {
        let sink = ByteSink(descriptor: 1, label: "table")
        var rate = MessageRate()
        var screen = ScreenDiff()
        var lines: [String] = []
        while !Task.isCancelled, sink.failure == nil {
            let size = Terminal.size
            let table = WatchTable(
                width: size.width, height: size.height, style: self.style, threshold: self.view.threshold)
            let now = self.view.clock.now()
            let status = self.view.streamer.status
            let count = status.messages
            lines = table.lines(
                WatchFrame(
                    now: now, title: self.title, url: self.url(), status: status,
                    messagesPerSecond: rate.rate(count: count, at: now.monotonic), rows: self.view.rows,
                    notes: self.view.notes(), events: events.lines, log: self.log.lastLines))
            let bytes = screen.update(to: lines, width: size.width, height: size.height)
            if !bytes.isEmpty { sink.append(bytes) }
            await sink.waitForRoom()
            try? await self.view.clock.sleep(for: .milliseconds(100))
        }
        await sink.flush()
        return lines
    }
}

/// The last events, written by who follows the updates and read by who draws.
private final class RecentEvents: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { self.kept.withLock { $0 } }

    func append(_ lines: [String]) { self.kept.withLock { $0 = ($0 + lines).suffix(20) } }
}

/// What must be sent so that the screen shows other lines: only those that changed.
struct ScreenDiff {
    private var shown: [String] = []
    private var size = (width: 0, height: 0)

    /// The terminal's commands; everything is drawn again after the size changed.
    mutating func update(to lines: [String], width: Int, height: Int) -> String {
        var text = ""
        if self.size != (width, height) {
            text += "\u{1B}[2J"
            self.shown = []
            self.size = (width, height)
        }
        for row in 0..<max(lines.count, self.shown.count) {
            let new = row < lines.count ? lines[row] : ""
            let old = row < self.shown.count ? self.shown[row] : ""
            if new != old { text += "\u{1B}[\(row + 1);1H\(new)\u{1B}[0m\u{1B}[K" }
        }
        self.shown = lines
        return text
    }
}

/// A reader that closes the pipe has seen enough; any other failure to write is told.
func failUnlessPipeClosed(_ failure: Int32?) throws(ProgramFailure) {
    guard let failure, failure != EPIPE else { return }
    throw ProgramFailure(
        status: .internalError, message: "Standard output cannot be written: \(systemMessage(failure)).")
}
