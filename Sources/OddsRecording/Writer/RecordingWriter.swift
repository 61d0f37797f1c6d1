import Crypto
import Logging
import OddsCore

/// Makes a file that must not be there yet.
typealias FileOpener = @Sendable (String) throws(SystemError) -> any BlockFile

/// Writes a recording: rows into blocks, blocks into files, files into the manifest. On one thread at a time.
///
/// Nothing is thrown while it runs. When the disk does not take a block, what was in it is lost and counted; commands and
/// connections are kept in memory and written, behind a row that tells the loss, as soon as the disk takes blocks again.
final class RecordingWriter {
    /// A connection that is not closed, for the beginning of the next file.
    private struct Connection {
        let channel: FeedChannel
        let number: Int
        var isOpen: Bool
    }

    private let configuration: RecorderConfiguration
    private let logger: Logger
    private let anchor: ReceiveTime
    private let run: String
    private var encoder: RecordingRowEncoder
    private let packer: BlockPacker

    private let open: FileOpener
    private var output: (any BlockFile)?
    private var hasher = SHA256()
    private var file: RecordingManifest.File?
    private var fileNumber = 0
    private var fileBegin: MonotonicTime?
    private var blockBegin: MonotonicTime?
    private(set) var manifest: RecordingManifest
    private var isManifestDue = false
    private var lock: DirectoryLock?

    private var followed: [Market] = []
    private var tokens: [[AssetID]] = []
    private var connections: [Connection] = []
    private var knownMarkets: Set<String> = []
    private var openLines = 0
    private var disconnectedSince: Int64?
    /// Whether the last connection was closed by us, in good order.
    private var isLeaving = false

    private var wallOffset: Int64 = 0
    private var exchangeOffset: Int64?
    private var lastTime: MonotonicTime

    /// The rows that are in the packer, so that it is known what is missing when they cannot be written.
    private var blockMessages: UInt64 = 0
    private var blockMessageBytes: UInt64 = 0
    private var blockRows = 0
    private var blockFrames: [String: UInt64] = [:]
    private var blockFirst: MonotonicTime?
    private var blockThings: [(thing: TapInbox.Thing, time: ReceiveTime)] = []

    private var trouble: Trouble?
    private var isRecovering = false
    /// How long the last trouble was waited out between attempts, and when it ended.
    private var lastTrouble: (interval: Duration, end: MonotonicTime)?
    private(set) var status: RecorderStatus

    /// What is lost while the disk takes nothing.
    private struct Trouble {
        let since: ReceiveTime
        let interval: Duration
        var nextAttempt: MonotonicTime
        var first: MonotonicTime?
        var last: MonotonicTime
        var loss = RecordingLoss(rows: 0, bytes: 0, until: 0)
        var kept: [(thing: TapInbox.Thing, time: ReceiveTime)] = []
    }

    private static let attemptInterval = Duration.seconds(1)
    private static let longestInterval = Duration.seconds(30)
    /// A trouble that follows the one before within this time is waited out for longer: on a full disk a little fits
    /// again and again.
    private static let relapseTime = Duration.seconds(60)
    /// How many commands and events of connections are kept while nothing can be written.
    private static let keptLimit = 100_000
    /// The wall clock is told again when it has moved by this much against the rows' clock.
    private static let clockTolerance: Int64 = 1_000_000

    init(
        configuration: RecorderConfiguration, anchor: ReceiveTime, run: String, logger: Logger,
        open: @escaping FileOpener
    ) throws(RecordingError) {
        self.open = open
        self.configuration = configuration
        self.anchor = anchor
        self.run = run
        self.logger = logger
        self.encoder = RecordingRowEncoder(anchor: anchor)
        self.packer = try BlockPacker(level: min(9, max(1, configuration.compression)))
        self.lastTime = anchor.monotonic
        self.manifest = RecordingManifest()
        self.status = RecorderStatus(directory: configuration.directory)
    }

    // MARK: Life

    /// Makes the directory, takes it for this process, mends what an earlier run left unfinished, and begins a file.
    func prepare() throws(RecordingError) {
        let directory = self.configuration.directory
        do throws(SystemError) {
            try FileSystem.makeDirectory(directory)
        } catch {
            throw RecordingError(
                "The directory \(directory) cannot be made. Name another, or mend its permissions.", cause: error)
        }
        self.lock = try DirectoryLock(directory)
        self.manifest = try RecordingRepair.mended(directory, logger: self.logger)
        self.knownMarkets = Set(self.manifest.markets.map(\.id))
        self.manifest.runs.append(
            RecordingManifest.Run(
                run: self.run, program: self.configuration.program, start: self.anchor.unixNanoseconds, end: nil,
                isEndedInOrder: false, monotonicStart: self.anchor.monotonic.nanoseconds,
                seed: self.configuration.seed.map(String.init), lines: self.configuration.lines,
                endpoints: self.configuration.endpoints, bot: self.configuration.bot))
        do throws(SystemError) {
            try self.beginFile(at: self.anchor.monotonic)
        } catch {
            throw RecordingError(
                "Nothing can be written into \(directory). Make room, or name another directory.", cause: error)
        }
        guard self.writeManifest() else {
            throw RecordingError(
                "Nothing can be written into \(directory): \(self.status.lastError ?? "no reason is known"). "
                    + "Make room, or name another directory.")
        }
        self.status.state = .recording
        self.renewStatus()
    }

    /// Everything that is due at this moment.
    func tick(_ now: ReceiveTime) {
        self.heedClock(now)
        if var trouble = self.trouble {
            guard now.monotonic >= trouble.nextAttempt else { return }
            trouble.nextAttempt = now.monotonic.advanced(by: trouble.interval)
            self.trouble = trouble
            self.recover(now)
        } else {
            if let begin = self.blockBegin, begin.duration(to: now.monotonic) >= self.configuration.blockTime {
                self.endBlock(now)
            }
            self.rotateIfDue(now)
        }
        if self.isManifestDue, self.trouble == nil { _ = self.writeManifest() }
        self.renewStatus()
    }

    /// Writes what is left and ends the recording.
    func finish(_ now: ReceiveTime) {
        if self.trouble != nil { self.recover(now) }
        if self.trouble == nil {
            self.encoder.note(.end, at: self.stamp(now.monotonic))
            self.rowAdded(at: now.monotonic)
            self.endBlock(now)
        }
        let isInOrder = self.trouble == nil
        // That nothing is connected at the end is as it should be.
        if self.isLeaving { self.disconnectedSince = nil }
        if let trouble {
            self.logger.error(
                "The end of the recording is missing",
                metadata: ["rows": "\(trouble.loss.rows)", "error": "\(self.status.lastError ?? "")"])
        }
        self.endFile()
        if let last = self.manifest.runs.indices.last {
            self.manifest.runs[last].end = self.encoder.time(of: now.monotonic)
            self.manifest.runs[last].isEndedInOrder = isInOrder
        }
        _ = self.writeManifest()
        self.renewStatus()
        self.status.state = .stopped
        self.lock = nil
    }

    /// What is known of the exchange's clock, in nanoseconds ahead of this machine's wall clock.
    func setExchangeOffset(_ offset: Int64) {
        if let known = self.exchangeOffset, abs(known - offset) <= Self.clockTolerance { return }
        self.exchangeOffset = offset
        if let last = self.manifest.runs.indices.last {
            self.manifest.runs[last].exchangeOffset = offset
            self.isManifestDue = true
        }
        if self.trouble == nil { self.tellClock(at: self.lastTime) }
    }

    // MARK: Rows

    func message(_ text: UnsafeRawBufferPointer, _ channel: FeedChannel, _ connection: Int, _ time: ReceiveTime) {
        guard self.trouble == nil else { return self.lose(1, bytes: text.count, at: time.monotonic) }
        self.heedClock(time)
        self.encoder.message(text, on: channel, connection: connection, at: time.monotonic)
        self.blockFrames[Self.name(of: channel), default: 0] += 1
        self.blockMessages += 1
        self.blockMessageBytes += UInt64(text.count)
        self.rowAdded(at: time.monotonic)
    }

    func thing(_ thing: TapInbox.Thing, _ time: ReceiveTime) {
        self.heed(thing, time)
        guard self.trouble == nil else { return self.keep(thing, time) }
        self.heedClock(time)
        self.encode(thing, time)
        self.blockThings.append((thing, time))
        if case .answer(let exchange) = thing {
            self.blockFrames["rest", default: 0] += 1
            self.blockMessages += 1
            self.blockMessageBytes += UInt64(exchange.body.count)
        }
        self.rowAdded(at: time.monotonic)
    }

    private func encode(_ thing: TapInbox.Thing, _ time: ReceiveTime) {
        switch thing {
        case .connection(let event, let channel, let number):
            self.encoder.connection(event, on: channel, connection: number, at: time.monotonic)
        case .answer(let exchange): self.encoder.answer(exchange, at: time.monotonic)
        case .command(let command): self.encoder.command(command, at: time.monotonic)
        case .loss(let loss):
            let until = self.encoder.time(of: loss.last)
            self.encoder.note(
                .lost(RecordingLoss(rows: loss.rows, bytes: loss.bytes, until: until)), at: time.monotonic)
        }
    }

    private static func name(of channel: FeedChannel) -> String {
        switch channel {
        case .line(let line): smallNumbers.indices.contains(line) ? smallNumbers[line] : String(line)
        case .reference: "rtds"
        }
    }

    private static let smallNumbers = (0..<16).map(String.init)

    private func rowAdded(at time: MonotonicTime) {
        self.blockRows += 1
        if self.blockFirst == nil { self.blockFirst = time }
        if self.blockBegin == nil { self.blockBegin = time }
        self.lastTime = max(self.lastTime, time)
        if self.encoder.count >= 1 << 16 { self.pack() }
        if self.packer.plainBytes >= self.configuration.blockSize {
            let now = ReceiveTime(monotonic: time, unixNanoseconds: self.encoder.time(of: time))
            self.endBlock(now)
            self.rotateIfDue(now)
        }
    }

    /// Rows of the recorder's own never lie before those that are there already.
    private func stamp(_ time: MonotonicTime) -> MonotonicTime { max(self.lastTime, time) }

    private func pack() {
        self.packer.add(self.encoder.bytes, rows: self.blockRows - self.packer.rows)
        self.encoder.removeAll()
    }

    // MARK: State

    /// Remembers what the next file has to repeat.
    private func heed(_ thing: TapInbox.Thing, _ time: ReceiveTime) {
        switch thing {
        case .command(.follow(let market)):
            self.followed.removeAll { $0.id == market.id }
            self.followed.append(market)
            self.remember(market)
        case .command(.followTokens(let assets)): self.tokens.append(assets)
        case .command(.unfollow(let id)): self.followed.removeAll { $0.id == id }
        case .connection(let event, let channel, let number): self.heed(event, channel, number, time)
        case .loss(let loss):
            self.file?.dropped += loss.rows
            self.file?.gaps.append(
                RecordingManifest.Gap(
                    kind: .lost, start: self.encoder.time(of: time.monotonic),
                    end: self.encoder.time(of: loss.last), rows: loss.rows))
            self.status.dropped += loss.rows
        case .command, .answer: break
        }
    }

    private func remember(_ market: Market) {
        guard self.knownMarkets.insert(market.id.rawValue).inserted else { return }
        self.manifest.markets.append(RecordingManifest.Market(market))
    }

    private func heed(_ event: FeedConnectionEvent, _ channel: FeedChannel, _ number: Int, _ time: ReceiveTime) {
        let index = self.connections.firstIndex { $0.channel == channel && $0.number == number }
        let wasOpen = index.map { self.connections[$0].isOpen } ?? false
        var isOpen = false
        switch event {
        case .connecting, .open:
            if case .open = event { isOpen = true }
            if let index {
                self.connections[index].isOpen = isOpen
            } else {
                self.connections.append(Connection(channel: channel, number: number, isOpen: isOpen))
            }
        case .closed(_, let byUs, _):
            if let index { self.connections.remove(at: index) }
            self.isLeaving = byUs
        }
        guard case .line = channel, isOpen != wasOpen else { return }
        self.openLines += isOpen ? 1 : -1
        if self.openLines == 0 {
            self.disconnectedSince = self.encoder.time(of: time.monotonic)
        } else if let since = self.disconnectedSince {
            self.disconnectedSince = nil
            self.file?.gaps.append(
                RecordingManifest.Gap(
                    kind: .disconnected, start: since, end: self.encoder.time(of: time.monotonic), rows: nil))
        }
    }

    private func heedClock(_ time: ReceiveTime) {
        let offset = time.unixNanoseconds &- self.encoder.time(of: time.monotonic)
        guard abs(offset &- self.wallOffset) > Self.clockTolerance, self.trouble == nil else { return }
        self.wallOffset = offset
        self.tellClock(at: time.monotonic)
    }

    private func tellClock(at time: MonotonicTime) {
        let clock = RecordingClock(wallOffset: self.wallOffset, exchangeOffset: self.exchangeOffset)
        self.encoder.note(.clock(clock), at: time)
        self.rowAdded(at: time)
    }

    // MARK: Blocks

    /// Writes what is there as a block.
    private func endBlock(_ now: ReceiveTime) {
        self.pack()
        guard !self.packer.isEmpty else { return }
        let rows = self.packer.rows
        let plainBytes = self.packer.plainBytes
        let block = self.packer.finish()
        do throws(SystemError) {
            guard let output else { throw SystemError.closed }
            try output.write(block)
            try output.synchronise()
        } catch {
            self.failed(error, now)
            return
        }
        self.hasher.update(data: block)
        self.file?.bytes += UInt64(block.count)
        self.file?.plainBytes += UInt64(plainBytes)
        self.file?.rows += UInt64(rows)
        self.file?.frames.merge(self.blockFrames, uniquingKeysWith: +)
        if let first = self.blockFirst, self.file?.first == nil { self.file?.first = self.encoder.time(of: first) }
        self.file?.last = self.encoder.time(of: self.lastTime)
        self.status.rows += UInt64(rows)
        self.status.bytes += UInt64(block.count)
        self.status.plainBytes += UInt64(plainBytes)
        self.clearBlock()
        self.keepLimit()
    }

    private func clearBlock() {
        self.blockMessages = 0
        self.blockMessageBytes = 0
        self.blockRows = 0
        self.blockFrames.removeAll(keepingCapacity: true)
        self.blockFirst = nil
        self.blockBegin = nil
        self.blockThings.removeAll(keepingCapacity: true)
    }

    // MARK: Trouble

    /// The disk did not take a block: what was in it is lost, but for what changes the state of things.
    private func failed(_ error: SystemError, _ now: ReceiveTime) {
        self.status.lastError = "\(error)"
        var trouble = self.trouble ?? self.newTrouble(now)
        if self.trouble == nil, !self.isRecovering {
            self.logger.error(
                "The recording cannot be written: what comes until it can is lost and counted",
                metadata: ["directory": "\(self.configuration.directory)", "error": "\(error)"])
            self.status.state = .troubled(since: now.wall)
        }
        if self.blockMessages > 0 {
            trouble.first = trouble.first ?? self.blockFirst
            trouble.last = self.lastTime
            trouble.loss.rows += self.blockMessages
            trouble.loss.bytes += self.blockMessageBytes
            self.status.dropped += self.blockMessages
        }
        let things = self.blockThings
        self.trouble = trouble
        self.clearBlock()
        for (thing, time) in things {
            if case .answer = thing { continue }
            self.trouble?.kept.append((thing, time))
        }
    }

    private func newTrouble(_ now: ReceiveTime) -> Trouble {
        var interval = Self.attemptInterval
        if let last = self.lastTrouble, last.end.duration(to: now.monotonic) < Self.relapseTime {
            interval = min(last.interval * 2, Self.longestInterval)
        }
        return Trouble(
            since: now, interval: interval, nextAttempt: now.monotonic.advanced(by: interval), last: now.monotonic)
    }

    private func keep(_ thing: TapInbox.Thing, _ time: ReceiveTime) {
        if case .answer(let exchange) = thing { return self.lose(1, bytes: exchange.body.count, at: time.monotonic) }
        guard let kept = self.trouble?.kept, kept.count < Self.keptLimit else {
            return self.lose(1, bytes: 0, at: time.monotonic)
        }
        self.trouble?.kept.append((thing, time))
    }

    private func lose(_ rows: UInt64, bytes: Int, at time: MonotonicTime) {
        guard var trouble = self.trouble else { return }
        trouble.first = trouble.first ?? time
        trouble.last = max(trouble.last, time)
        trouble.loss.rows += rows
        trouble.loss.bytes += UInt64(bytes)
        self.trouble = trouble
        self.status.dropped += rows
    }

    /// Tries again: a new file, since what is left of the old one may not be whole, with the loss and what was kept.
    private func recover(_ now: ReceiveTime) {
        guard let trouble = self.trouble else { return }
        self.trouble = nil
        self.isRecovering = true
        defer { self.isRecovering = false }
        let begin = trouble.first ?? trouble.kept.first?.time.monotonic ?? now.monotonic
        do throws(SystemError) {
            self.endFile()
            try self.beginFile(at: begin, isRepeating: false)
        } catch {
            self.trouble = trouble
            self.status.lastError = "\(error)"
            return
        }
        if trouble.loss.rows > 0 {
            var loss = trouble.loss
            loss.until = self.encoder.time(of: trouble.last)
            self.encoder.note(.lost(loss), at: begin)
            self.rowAdded(at: begin)
            self.file?.gaps.append(
                RecordingManifest.Gap(
                    kind: .lost, start: self.encoder.time(of: begin), end: loss.until, rows: loss.rows))
            self.file?.dropped += loss.rows
        }
        for (thing, time) in trouble.kept {
            self.encode(thing, time)
            self.blockRows += 1
            self.lastTime = max(self.lastTime, time.monotonic)
        }
        self.repeatState(at: self.lastTime)
        self.endBlock(now)
        if self.trouble != nil {
            // Nothing of it is on the disk: everything is as it was, and the empty file goes.
            self.trouble = trouble
            self.trouble?.nextAttempt = now.monotonic.advanced(by: trouble.interval)
            self.forgetFile()
            return
        }
        self.lastTrouble = (trouble.interval, now.monotonic)
        self.status.state = .recording
        self.isManifestDue = true
        self.logger.notice(
            "The recording goes on",
            metadata: [
                "lost": "\(trouble.loss.rows)",
                "seconds": "\(trouble.since.monotonic.duration(to: now.monotonic).secondsValue)",
            ])
    }

    /// Takes a file back that was begun in vain.
    private func forgetFile() {
        guard let file = self.file, file.rows == 0 else { return }
        self.output = nil
        self.file = nil
        self.fileNumber -= 1
        // What cannot be deleted is empty, and the next start passes over it.
        try? FileSystem.remove("\(self.configuration.directory)/\(file.name)")
    }

    // MARK: Files

    private func rotateIfDue(_ now: ReceiveTime) {
        guard self.trouble == nil, let file, let begin = self.fileBegin else { return }
        let path = "\(self.configuration.directory)/\(file.name)"
        // A file that was taken away is written for nobody.
        let isGone = FileSystem.size(of: path) == nil
        if isGone {
            self.logger.error(
                "The file of the recording was taken away: a new one is begun", metadata: ["file": "\(file.name)"])
            self.noteDeletion(of: file)
        }
        guard
            isGone || file.bytes >= self.configuration.effectiveFileSize
                || begin.duration(to: now.monotonic) >= self.configuration.fileTime && file.rows > 0
        else { return }
        self.endBlock(now)
        guard self.trouble == nil else { return }
        self.endFile(isGone: isGone)
        do throws(SystemError) {
            if isGone { try FileSystem.makeDirectory(self.configuration.directory) }
            try self.beginFile(at: self.stamp(now.monotonic))
        } catch {
            self.failed(error, now)
            return
        }
        _ = self.writeManifest()
        self.keepLimit()
    }

    /// Begins a file with what a reader needs that reads this one only.
    private func beginFile(at time: MonotonicTime, isRepeating: Bool = true) throws(SystemError) {
        var output: (any BlockFile)?
        var name = ""
        repeat {
            self.fileNumber += 1
            name = RecordingNames.file(self.encoder.time(of: time), number: self.fileNumber)
            do throws(SystemError) {
                output = try self.open("\(self.configuration.directory)/\(name)")
                try FileSystem.synchroniseDirectory(of: "\(self.configuration.directory)/\(name)")
            } catch {
                guard error == .exists else {
                    self.fileNumber -= 1
                    throw error
                }
            }
        } while output == nil
        self.output = output
        self.hasher = SHA256()
        self.file = RecordingManifest.File(name: name, run: self.run)
        self.fileBegin = time
        self.encoder.note(
            .start(
                RecordingStart(
                    run: self.run, file: self.fileNumber, program: self.configuration.program,
                    lines: self.configuration.lines, seed: self.configuration.seed,
                    renewalInterval: self.configuration.renewalInterval, bot: self.configuration.bot,
                    anchor: self.anchor)), at: time)
        self.encoder.note(
            .clock(RecordingClock(wallOffset: self.wallOffset, exchangeOffset: self.exchangeOffset)), at: time)
        self.blockRows += 2
        if isRepeating { self.repeatState(at: time) }
        self.blockFirst = time
        self.blockBegin = time
        self.lastTime = max(self.lastTime, time)
    }

    private func repeatState(at time: MonotonicTime) {
        for assets in self.tokens {
            self.encoder.command(.followTokens(assets), at: time, isRepeated: true)
            self.blockRows += 1
        }
        for market in self.followed {
            self.encoder.command(.follow(market), at: time, isRepeated: true)
            self.blockRows += 1
        }
        for connection in self.connections {
            self.encoder.connection(
                connection.isOpen ? .open : .connecting, on: connection.channel, connection: connection.number,
                at: time, isRepeated: true)
            self.blockRows += 1
        }
    }

    /// Ends the file; its last block is written already.
    private func endFile(isGone: Bool = false) {
        guard var file = self.file else { return }
        if file.rows == 0 { return self.forgetFile() }
        if let since = self.disconnectedSince {
            file.gaps.append(RecordingManifest.Gap(kind: .disconnected, start: since, end: nil, rows: nil))
        }
        file.sha256 = RecordingNames.hex(self.hasher.finalize())
        self.output = nil
        self.file = nil
        if !isGone { self.manifest.files.append(file) }
    }

    /// Deletes the oldest files until the limit is kept.
    private func keepLimit() {
        guard let limit = self.configuration.limit else { return }
        var total = self.totalBytes
        var isChanged = false
        while total > limit, let oldest = self.manifest.files.first {
            do throws(SystemError) {
                try FileSystem.remove("\(self.configuration.directory)/\(oldest.name)")
            } catch {
                self.logger.error(
                    "A file cannot be deleted, so the recording is larger than its limit",
                    metadata: ["file": "\(oldest.name)", "error": "\(error)"])
                break
            }
            self.manifest.files.removeFirst()
            self.noteDeletion(of: oldest)
            self.status.deleted += 1
            total -= min(total, oldest.bytes)
            isChanged = true
            self.logger.notice(
                "The oldest file of the recording was deleted: the limit is reached",
                metadata: ["file": "\(oldest.name)", "bytes": "\(oldest.bytes)"])
        }
        if isChanged { _ = self.writeManifest() }
    }

    private func noteDeletion(of file: RecordingManifest.File) {
        self.manifest.deleted.append(
            RecordingManifest.Deletion(name: file.name, bytes: file.bytes, first: file.first, last: file.last))
        let surplus = self.manifest.deleted.count - Self.deletionLimit
        if surplus > 0 { self.manifest.deleted.removeFirst(surplus) }
    }

    /// How many deleted files the manifest names: the last ones.
    private static let deletionLimit = 1_000

    private var totalBytes: UInt64 {
        self.manifest.files.reduce(self.file?.bytes ?? 0) { sum, file in
            let (bytes, isTooMuch) = sum.addingReportingOverflow(file.bytes)
            return isTooMuch ? .max : bytes
        }
    }

    // MARK: Manifest and status

    /// The manifest with the file that is being written; whether it is on the disk.
    private func writeManifest() -> Bool {
        var manifest = self.manifest
        if let file { manifest.files.append(file) }
        do {
            try manifest.write(in: self.configuration.directory)
            self.isManifestDue = false
            return true
        } catch {
            if !self.isManifestDue {
                self.logger.error("The recording's manifest cannot be written", metadata: ["error": "\(error)"])
            }
            self.isManifestDue = true
            self.status.lastError = "\(error)"
            return false
        }
    }

    private func renewStatus() {
        self.status.file = self.file?.name
        self.status.files = self.manifest.files.count + (self.file == nil ? 0 : 1)
        self.status.totalBytes = self.totalBytes
        self.status.freeBytes = FileSystem.freeBytes(in: self.configuration.directory)
    }
}
