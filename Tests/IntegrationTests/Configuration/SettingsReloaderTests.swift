import Foundation
import Logging
import OddsCore
import OddsTestSupport
import ServiceLifecycle
import Synchronization
import Testing

@testable import oddstream

/// Reading the configuration again, on a clock of the test's.
@Suite(.timeLimit(.minutes(1))) struct SettingsReloaderTests {
    private struct Sentences: LogHandler {
        let journal: Journal<String>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.notice
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            self.journal.append("\(event.message)" + (event.metadata?["keys"].map { ": \($0)" } ?? ""))
        }
    }

    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID()).json").path
    private let clock = ManualClock()
    private let said = Journal<String>()
    private let applied = Journal<String>()

    private func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: self.path), options: .atomic)
    }

    private func reloader(_ options: [Setting: String] = [:], file: Bool = true) throws -> SettingsReloader {
        let settings = try Settings(options: options, environment: [:], file: file ? self.path : nil)
        let level = SettingsReloader.Applier(settings: [.logLevel]) { [applied] in
            applied.append($0.text(.logLevel) ?? "default")
        }
        let webhook = SettingsReloader.Applier(settings: [.webhookURL]) { _ in throw EndedEarly() }
        return SettingsReloader(
            settings, appliers: [level, webhook], clock: self.clock,
            logger: Logger(label: "test") { _ in Sentences(journal: self.said) })
    }

    @Test func whatCanBeAppliedIsAndTheRestIsNamed() throws {
        try self.write(#"{"log-level": "info"}"#)
        defer { try? FileManager.default.removeItem(atPath: self.path) }
        let reloader = try self.reloader()
        reloader.reload()
        #expect(self.said.takeAll() == ["Configuration reloaded: nothing has changed"])
        try self.write(#"{"log-level": "debug", "lines": 1, "http-port": 9}"#)
        reloader.reload()
        #expect(self.applied.takeAll() == ["debug"])
        #expect(
            self.said.takeAll() == [
                "Configuration reloaded: log-level", "Changed settings need a restart: http-port, lines",
            ])
        // What was applied is in force: taking it back is a change, and what waits for a restart still does.
        try self.write(#"{"lines": 1, "http-port": 9}"#)
        reloader.reload()
        #expect(self.applied.takeAll() == ["default"])
        #expect(
            self.said.takeAll() == [
                "Configuration reloaded: log-level", "Changed settings need a restart: http-port, lines",
            ])
        try self.write("{}")
        reloader.reload()
        #expect(self.said.takeAll() == ["Configuration is again what is in force"])
    }

    @Test func whatTheCommandLineSaysIsNotReloaded() throws {
        try self.write("{}")
        defer { try? FileManager.default.removeItem(atPath: self.path) }
        let reloader = try self.reloader([.logLevel: "error"])
        try self.write(#"{"log-level": "debug"}"#)
        reloader.reload()
        #expect(self.applied.entries.isEmpty)
        #expect(self.said.takeAll() == ["Configuration reloaded: nothing has changed"])
    }

    @Test func whatCannotBeAppliedIsSaid() throws {
        try self.write("{}")
        defer { try? FileManager.default.removeItem(atPath: self.path) }
        let reloader = try self.reloader()
        try self.write(#"{"webhook-url": "https://example.test/"}"#)
        reloader.reload()
        #expect(self.said.takeAll().first == "Settings not applied: the old ones stay: webhook-url")
    }

    @Test func aFileThatChangesIsNoticedAndAMistakeIsSaidOnce() async throws {
        try self.write("{}")
        defer { try? FileManager.default.removeItem(atPath: self.path) }
        let reloader = try self.reloader()
        let run = Task { try await reloader.run() }
        let mistake = "Configuration not reloaded: the old settings stay"
        for (text, sentence) in [
            (#"{"log-level": "debug"}"#, "Configuration reloaded: log-level"), ("{", mistake),
            (#"{"log-level": "trace"}"#, "Configuration reloaded: log-level"),
        ] {
            try self.write(text)
            try await self.clock.sleepers()
            self.clock.advance(by: SettingsReloader.interval)
            try await self.said.wait(for: sentence)
            #expect(self.said.takeAll() == [sentence])
        }
        // The file goes away, comes back just as wrong, goes away again: each mistake is said when it is news.
        try FileManager.default.removeItem(atPath: self.path)
        for _ in 0..<3 {
            try await self.clock.sleepers()
            self.clock.advance(by: SettingsReloader.interval)
        }
        try await self.said.wait(forCount: 1)
        try await self.clock.sleepers()
        #expect(self.said.takeAll() == [mistake])
        // Asked for, it is said again.
        reloader.reload()
        #expect(self.said.takeAll() == [mistake])
        run.cancel()
        try await run.value
        #expect(self.clock.sleeperCount == 0)
        #expect(self.applied.entries == ["debug", "trace"])
    }

    @Test func withoutAFileThereIsNothingToReload() throws {
        let reloader = try self.reloader(file: false)
        reloader.reload()
        #expect(self.said.entries.count == 1)
        #expect(self.said.entries.first?.contains("no configuration file") == true)
    }
}
