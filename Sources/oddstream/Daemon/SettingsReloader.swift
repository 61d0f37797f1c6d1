import Logging
import OddsCore
import RealtimeOdds
import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Reads the configuration file again, on SIGHUP and when it has changed, and applies what can change while the program runs.
///
/// That is the log level, and whatever else `appliers` knows. For the rest it says once that a restart is needed. A file
/// that cannot be read, or has a mistake in it, changes nothing: that is said once too.
final class SettingsReloader: Service {
    /// Applies some settings to a running part of the program.
    struct Applier: Sendable {
        /// The settings it applies; it is called when one of them has changed.
        let settings: Set<Setting>
        /// Applies them. What it throws is told, and the part goes on as it was.
        let apply: @Sendable (Settings) throws -> Void
    }

    /// Identifies one state of a file without reading it.
    struct FileStamp: Equatable, Sendable {
        let inode: UInt64
        let size: Int64
        let seconds: Int64
        let nanoseconds: Int64
    }

    private struct State {
        /// What holds: read at the start, with what was applied since.
        var inForce: Settings
        /// What the file said last.
        var lastRead: Settings
        var stamp: FileStamp?
        /// The mistake that was told last; nil when the last reading was good.
        var told: String?
    }

    private let state: Mutex<State>
    private let origin: SettingsOrigin?
    private let appliers: [Applier]
    private let stamp: @Sendable (String) -> FileStamp?
    private let clock: any StreamClock
    private let logger: Logger

    /// How often the file is looked at.
    static let interval = Duration.seconds(5)

    /// A reloader for settings that have just been read.
    ///
    /// - Parameters:
    ///   - settings: what holds now.
    ///   - appliers: what can be changed without a restart.
    ///   - clock: tells when to look at the file.
    ///   - logger: is told what was reloaded, and what was not.
    ///   - stamp: tells one state of a file from another; nil when there is no such file.
    init(
        _ settings: Settings, appliers: [Applier], clock: any StreamClock, logger: Logger,
        stamp: @escaping @Sendable (String) -> FileStamp? = { SettingsReloader.stamp(of: $0) }
    ) {
        self.origin = settings.origin
        self.appliers = appliers
        self.clock = clock
        self.logger = logger
        self.stamp = stamp
        self.state = Mutex(
            State(inForce: settings, lastRead: settings, stamp: settings.origin?.file.flatMap(stamp)))
    }

    /// The usual one: the log's level can change while the program runs.
    ///
    /// - Parameter level: what is logged when no level is set.
    convenience init(
        _ settings: Settings, log: ProgramLog, level: Logger.Level, logger: Logger, appliers: [Applier] = []
    ) {
        let logLevel = Applier(settings: [.logLevel]) { log.level = $0.logLevel(default: level) }
        self.init(settings, appliers: [logLevel] + appliers, clock: SystemClock(), logger: logger)
    }

    /// Looks at the file every few seconds until the service group shuts down.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            // It throws only when it is cancelled.
            while (try? await self.clock.sleep(for: SettingsReloader.interval)) != nil { self.look() }
        }
    }

    /// Reads the file again when it is not as it was.
    private func look() {
        guard let file = self.origin?.file else { return }
        let stamp = self.stamp(file)
        guard stamp != self.state.withLock({ $0.stamp }) else { return }
        self.read(file, stamp, isAsked: false)
    }

    /// Reads the file again because somebody asked for it, and says what came of it.
    func reload() {
        guard let file = self.origin?.file else {
            self.logger.warning(
                "SIGHUP: there is no configuration file to reload; start with --config FILE to have one")
            return
        }
        self.read(file, self.stamp(file), isAsked: true)
    }

    private func read(_ file: String, _ stamp: FileStamp?, isAsked: Bool) {
        guard let origin = self.origin else { return }
        let result: Result<Settings, ConfigurationError>
        do throws(ConfigurationError) {
            result = .success(try origin.read())
        } catch {
            result = .failure(error)
        }
        self.state.withLock { state in
            state.stamp = stamp
            switch result {
            case .success(let settings):
                state.told = nil
                self.take(settings, file, &state, isAsked: isAsked)
            case .failure(let error):
                guard isAsked || state.told != error.description else { return }
                state.told = error.description
                self.logger.error(
                    "Configuration not reloaded: the old settings stay", metadata: ["reason": "\(error.description)"])
            }
        }
    }

    private func take(_ settings: Settings, _ file: String, _ state: inout State, isAsked: Bool) {
        let news = settings.changes(from: state.lastRead)
        state.lastRead = settings
        guard !news.isEmpty else {
            if isAsked {
                self.logger.notice("Configuration reloaded: nothing has changed", metadata: ["file": "\(file)"])
            }
            return
        }
        var applied: Set<Setting> = []
        for applier in self.appliers where !applier.settings.isDisjoint(with: news) {
            do {
                try applier.apply(settings)
                applied.formUnion(applier.settings.intersection(news))
            } catch {
                self.logger.error(
                    "Settings not applied: the old ones stay",
                    metadata: ["keys": "\(Self.names(applier.settings.intersection(news)))", "reason": "\(error)"])
            }
        }
        state.inForce.take(applied, from: settings)
        if !applied.isEmpty {
            self.logger.notice("Configuration reloaded", metadata: ["keys": "\(Self.names(applied))"])
        }
        let appliable = self.appliers.reduce(into: Set<Setting>()) { $0.formUnion($1.settings) }
        let pending = settings.changes(from: state.inForce).subtracting(appliable)
        if !pending.isEmpty {
            self.logger.warning("Changed settings need a restart", metadata: ["keys": "\(Self.names(pending))"])
        } else if applied.isEmpty {
            self.logger.notice("Configuration is again what is in force", metadata: ["file": "\(file)"])
        }
    }

    private static func names(_ settings: Set<Setting>) -> String {
        settings.map(\.rawValue).sorted().joined(separator: ", ")
    }

    /// The file's identity, size and time of change; nil when it is not there.
    static func stamp(of file: String) -> FileStamp? {
        var info = stat()
        guard stat(file, &info) == 0 else { return nil }
        #if canImport(Darwin)
        let changed = info.st_mtimespec
        #else
        let changed = info.st_mtim
        #endif
        return FileStamp(
            inode: UInt64(info.st_ino), size: Int64(info.st_size), seconds: Int64(changed.tv_sec),
            nanoseconds: Int64(changed.tv_nsec))
    }
}

extension Settings {
    /// The settings whose values differ.
    func changes(from other: Settings) -> Set<Setting> {
        Set(Setting.allCases.filter { self.entries[$0]?.values != other.entries[$0]?.values })
    }

    /// Takes over some values from others.
    mutating func take(_ settings: Set<Setting>, from other: Settings) {
        for setting in settings { self.replace(setting, with: other.entries[setting]) }
    }
}
