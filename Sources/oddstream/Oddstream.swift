import ArgumentParser

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The program's version.
let programVersion = "0.1.0"

/// The program: what Polymarket's odds are now, and how far that can be trusted.
@main
struct Oddstream: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oddstream",
        abstract: "Polymarket's odds, live: what they are now and how far that can be trusted.",
        discussion: """
            Begin with `oddstream demo`: it needs no network. `oddstream watch` follows the real market.

            Every option is also a key of the configuration file (--http-port is "http-port") and a variable \
            (ODDSTREAM_HTTP_PORT). Options win over variables, variables over the file.

            Exit codes: 0 done, 64 usage, 69 exchange unreachable, 70 internal, 78 configuration.
            """,
        version: programVersion,
        subcommands: [
            Run.self, Demo.self, Watch.self, Trades.self, History.self, Record.self, ReplayCommand.self,
            BacktestCommand.self, Compare.self, Latency.self, Soak.self, RenderReport.self, Simulate.self, Doctor.self,
            AlertTest.self,
        ])

    static func main() async {
        // A closed pipe is an error of write(2) like any other; the signal would end the process without a word.
        signal(SIGPIPE, SIG_IGN)
        // The next file or socket would take the number of a closed standard stream, and rows would be written into it.
        // Opening takes the lowest free number, which is the closed stream's; reading only, so that writing still fails.
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 { _ = open("/dev/null", O_RDONLY) }
        do {
            var command = try Oddstream.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as ProgramFailure {
            Oddstream.end(failure.status, failure.message)
        } catch let error as ConfigurationError {
            Oddstream.end(error.status, error.description)
        } catch {
            Oddstream.exit(withError: error)
        }
    }

    private static func end(_ status: ExitStatus, _ message: String) -> Never {
        let text = message.split(separator: "\n").map { "oddstream: \($0)\n" }.joined()
        // With standard error gone there is nobody left to tell.
        _ = Array(text.utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        endProcess(status.rawValue)
    }
}

/// The C library's `exit`, which the parser's static method of the same name would hide.
private func endProcess(_ status: Int32) -> Never { exit(status) }
