import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct ProgramTests {
    @Test func withoutASubcommandItHelps() async throws {
        let outcome = try await ProgramRun.outcome([])
        #expect(outcome.status == 0)
        for command in ["run", "demo", "watch", "simulate", "doctor", "alert-test"] {
            #expect(outcome.output.contains("\n  \(command) "))
        }
    }

    @Test func itTellsItsVersion() async throws {
        let outcome = try await ProgramRun.outcome(["--version"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains(/^\d+\.\d+\.\d+\n$/))
    }

    @Test(arguments: [
        ["fly"], ["run", "--wings"], ["watch", "--format"], ["watch", "--format", "xml"], ["watch", "--for", "30"],
        ["run", "--http-port", "eight"], ["run", "--source", "oracle"], ["run", "--poll-interval", "99ms"],
        ["watch", "--series", "btc"],
    ])
    func usageErrorsEndWith64(arguments: [String]) async throws {
        let outcome = try await ProgramRun.outcome(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output.isEmpty)
        #expect(!outcome.errors.isEmpty)
    }

    @Test func badVariablesEndWith78() async throws {
        let bad = try await ProgramRun.outcome(["watch"], environment: ["ODDSTREAM_LINES": "many"])
        #expect(bad.status == 78)
        #expect(
            bad.errors == "oddstream: ODDSTREAM_LINES: 'many' cannot be used. Allowed: a whole number from 1 to 4.\n")
        let unknown = try await ProgramRun.outcome(["doctor"], environment: ["ODDSTREAM_WINGS": "2"])
        #expect(unknown.status == 78)
        #expect(unknown.output.hasPrefix("fail"))
    }

    @Test(arguments: [
        (["watch", "--source", "poller", "--trace", "t.csv"], "--trace needs the stream"),
        (["run", "--config", "/nowhere.json"], "/nowhere.json cannot be read"),
        (["run", "--data", "/proc/nowhere"], "/proc/nowhere cannot be created"),
        (["watch", "--trace", "/nowhere/t.csv"], "/nowhere/t.csv cannot be written"),
        (["simulate", "--tls-cert", "c.pem"], "--tls-cert and --tls-key belong together"),
    ])
    func configurationErrorsEndWith78(arguments: [String], message: String) async throws {
        let outcome = try await ProgramRun.outcome(arguments)
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }

    @Test func printConfigShowsWhatWouldBeUsed() async throws {
        let outcome = try await ProgramRun.outcome(
            ["run", "--print-config", "--http-port", "0"], environment: ["ODDSTREAM_SERIES": "eth-updown-5m"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains(/series +eth-updown-5m +ODDSTREAM_SERIES\n/))
        #expect(outcome.output.contains(/http-port +0 +--http-port\n/))
    }
}
