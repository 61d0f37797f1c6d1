public import OddsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What is run for each signal.
///
/// The command is a program with its arguments; no shell reads it. It gets the signal's JSON (see `Signal`) on standard input,
/// closed behind it, and an environment of `PATH`, `HOME`, `ODDSTREAM_SIGNAL_ID` and `ODDSTREAM_SIGNAL_KIND` alone: no secret
/// of this program is in it. What it writes is logged, up to `outputLimit`.
///
/// Exit code 0 takes the signal, 75 (`EX_TEMPFAIL`) asks for another attempt, anything else refuses it. Whoever runs
/// for longer than `timeout` is ended, with its process group, and has refused. What a command leaves running in its group
/// ends with it.
public struct SignalCommandConfiguration: Sendable {
    /// The program, as a path or a name on `PATH`, and its arguments.
    public var arguments: [String]
    /// The kinds that it is run for.
    public var kinds: Set<Signal.Kind> = .all
    /// How long one run may take.
    public var timeout: Duration = .seconds(10)
    /// The time from asking its process group to end (`SIGTERM`) to ending it (`SIGKILL`).
    public var grace: Duration = .seconds(1)
    /// How many bytes of standard output and of standard error are kept each; what is beyond is read and forgotten.
    public var outputLimit = 4096
    /// How signals are paced and kept; its `concurrency` bounds how many commands run at once.
    public var outbox = SignalOutbox.Configuration()

    /// The defaults for a program and its arguments.
    public init(arguments: [String]) { self.arguments = arguments }

    /// The defaults for a command in one line, such as `python3 bot.py --stake "5 USD"`.
    ///
    /// White space separates; quotes, single or double, and a backslash keep it. Nothing else is special: no variables, no
    /// patterns, no pipes.
    ///
    /// - Throws: `AlertSinkError` when a quote is not closed or there is no program.
    public init(commandLine: String) throws(AlertSinkError) {
        self.init(arguments: try CommandWords.split(commandLine))
    }
}

/// A command line as words.
enum CommandWords {
    static func split(_ line: String) throws(AlertSinkError) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var characters = line.makeIterator()
        while let character = characters.next() {
            switch (character, quote) {
            case ("\\", nil), ("\\", "\""):
                guard let next = characters.next() else {
                    throw AlertSinkError(.invalidConfiguration, "The command for signals ends in a lone backslash.")
                }
                word = (word ?? "") + String(next)
            case (let c, let open?) where c == open: quote = nil
            case ("'", nil), ("\"", nil):
                quote = character
                word = word ?? ""
            case (let c, nil) where c.isWhitespace:
                if let done = word { words.append(done) }
                word = nil
            case (let c, _): word = (word ?? "") + String(c)
            }
        }
        if let quote {
            throw AlertSinkError(
                .invalidConfiguration, "The command for signals has a quote \(quote) that is not closed.")
        }
        if let word { words.append(word) }
        guard let first = words.first, !first.isEmpty else {
            throw AlertSinkError(
                .invalidConfiguration, "The command for signals names no program: give its path and its arguments.")
        }
        return words
    }
}

/// A program on this machine that may be run.
enum ProgramSearch {
    static let standardPath = "/usr/local/bin:/usr/bin:/bin"

    /// Where the program lies: as it is when it is named by a path, else in the first directory of `PATH` that has it.
    ///
    /// - Throws: `AlertSinkError` with code `command` when there is none, or when it may not be run.
    static func locate(_ name: String, path: String) throws(AlertSinkError) -> String {
        guard name.contains("/") else {
            for directory in path.split(separator: ":") where directory.hasPrefix("/") {
                let candidate = "\(directory)/\(name)"
                if Self.canRun(candidate) { return candidate }
            }
            throw AlertSinkError(
                .command,
                "The command for signals cannot be started: there is no program '\(name)' on PATH (\(path)). Give its full path."
            )
        }
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory) else {
            throw AlertSinkError(
                .command, "The command for signals cannot be started: there is no file \(name). Check the path.")
        }
        guard !isDirectory, Self.canRun(name) else {
            throw AlertSinkError(
                .command,
                "The command for signals cannot be started: \(name) may not be run. Make it executable: chmod +x \(name)"
            )
        }
        return name
    }

    private static func canRun(_ path: String) -> Bool {
        var isDirectory = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory
            && FileManager.default.isExecutableFile(atPath: path)
    }
}
