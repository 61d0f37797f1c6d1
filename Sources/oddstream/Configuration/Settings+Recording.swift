import Logging
import OddsCore
import OddsRecording
import OddsServer
import RealtimeOdds

extension Settings {
    /// The recorder into a directory, ready to take what is told; nil without a directory.
    ///
    /// - Parameters:
    ///   - configuration: the source's, with the addresses it goes to.
    ///   - rtds: the address of the reference price feed; nil when it is not followed.
    /// - Throws: `ProgramFailure` when the directory cannot be written.
    func recorder(
        into directory: String?, _ configuration: RealtimeOddsConfiguration, rtds: String?, clock: any StreamClock,
        logger: Logger
    ) async throws(ProgramFailure) -> Recorder? {
        guard let directory else {
            for setting in [Setting.recordLimit, .recordFileSize, .recordFileTime] {
                guard let entry = self.entries[setting] else { continue }
                logger.warning("\(entry.origin.name(of: setting)) has no effect: nothing is recorded without --record")
            }
            return nil
        }
        var recording = RecorderConfiguration(
            directory: directory, program: programVersion, lines: self.source == .stream ? configuration.lines : 0)
        recording.seed = configuration.seed
        recording.renewalInterval = configuration.renewalInterval
        recording.limit = self.size(.recordLimit)
        recording.fileSize = self.size(.recordFileSize) ?? recording.fileSize
        recording.fileTime = self.time(.recordFileTime) ?? recording.fileTime
        let addresses = [
            ("market_channel", self.source == .stream ? configuration.marketWebSocket : nil),
            ("clob", configuration.clobREST), ("gamma", configuration.gammaREST), ("reference", rtds),
        ]
        for (name, address) in addresses {
            guard let address, let url = URLText(address, schemes: ["ws", "wss", "http", "https"]) else { continue }
            recording.endpoints[name] = url.host
        }
        do {
            let recorder = try Recorder(recording, logger: logger, clock: clock)
            try await recorder.prepare()
            return recorder
        } catch {
            throw ProgramFailure(status: .configuration, message: error.description)
        }
    }

    /// The number of bytes of a size; nil when it was not set.
    private func size(_ setting: Setting) -> UInt64? {
        self.text(setting).flatMap { SizeText.parse($0) }.map { UInt64(clamping: $0) }
    }

    /// What `--print-config` shows of the recording, beside its directory.
    static var recordingReport: [(Setting, default: String)] {
        let recording = RecorderConfiguration(directory: "", program: "", lines: 1)
        return [
            (.recordLimit, ""),
            (.recordFileSize, SizeText.text(Int64(clamping: recording.fileSize)).replacing(" ", with: "")),
            (.recordFileTime, DurationText.setting(recording.fileTime)),
        ]
    }
}

extension RecorderStatus {
    /// The part of the service's status.
    var part: PartStatus {
        let problem: String?
        let name: String
        switch self.state {
        case .idle: (name, problem) = ("idle", nil)
        case .recording: (name, problem) = ("recording", nil)
        case .stopped: (name, problem) = ("stopped", nil)
        case .troubled:
            name = "troubled"
            problem =
                "the recording cannot be written and what comes now is lost: \(self.lastError ?? "no reason is known")"
        }
        var counters: [(name: String, value: UInt64)] = [
            ("recording.rows", self.rows), ("recording.bytes", self.bytes), ("recording.plain_bytes", self.plainBytes),
            ("recording.total_bytes", self.totalBytes), ("recording.files", UInt64(self.files)),
            ("recording.deleted", UInt64(self.deleted)), ("recording.dropped", self.dropped),
        ]
        if let free = self.freeBytes { counters.append(("recording.free_bytes", free)) }
        return PartStatus(name: "recording", state: name, problem: problem, counters: counters)
    }
}
