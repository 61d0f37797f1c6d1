import Foundation
import Logging
import OddsCore
import OddsServer
import OddsTrading
import PolymarketSimulator
import RealtimeOdds
import Testing

@testable import oddstream

@Suite struct SettingsTests {
    /// A file that is there for one test.
    private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID()).json").path
        try Data(text.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private func refusal(
        options: [Setting: String] = [:], environment: [String: String] = [:], file: String? = nil
    ) -> ConfigurationError? {
        #expect(throws: ConfigurationError.self) {
            try Settings(options: options, environment: environment, file: file)
        }
    }

    @Test func withoutAnythingSetTheDefaultsHold() throws {
        let settings = try Settings(options: [:], environment: [:], file: nil)
        #expect(settings.entries.isEmpty)
        #expect(settings.server.port == 8787)
        #expect(settings.server.host == "127.0.0.1")
        let streamer = try settings.streamer()
        #expect(streamer.marketWebSocket == RealtimeOddsConfiguration().marketWebSocket)
        #expect(streamer.lines == RealtimeOddsConfiguration().lines)
        #expect(try settings.markets(default: "btc-updown-15m") == [.series(try MarketSeries("btc-updown-15m"))])
    }

    @Test func optionsWinOverVariablesAndVariablesOverTheFile() throws {
        try self.withFile(#"{"http-port": 1001, "http-host": "0.0.0.0", "lines": 3}"#) { path in
            let settings = try Settings(
                options: [.httpPort: "1003"],
                environment: ["ODDSTREAM_HTTP_PORT": "1002", "ODDSTREAM_HTTP_HOST": "::1", "PATH": "/bin"], file: path)
            #expect(settings.server.port == 1003)
            #expect(settings.entries[.httpPort]?.origin == .option)
            #expect(settings.server.host == "::1")
            #expect(settings.entries[.httpHost]?.origin == .environment)
            #expect(try settings.streamer().lines == 3)
            #expect(settings.entries[.lines]?.origin == .file(path))
        }
    }

    @Test(arguments: [
        ([Setting.stake: "20"], "--max-stake is 10"), ([.stake: "9.95"], "with the fee"),
        ([.maximumExposure: "1"], "--max-exposure 1"),
        ([.priceCap: "0.5"], "--price-cap 0.5"),
    ])
    func limitsUnderWhichNothingCouldBeBoughtAreRefused(options: [Setting: String], named: String) throws {
        let settings = try Settings(options: options, environment: [:], file: nil)
        let error = #expect(throws: ConfigurationError.self) {
            try settings.riskCheck(settings.strategy(entry: EntryWindow()))
        }
        #expect(error?.description.contains(named) == true)
    }

    @Test func aSpikeMustBeAbleToFallBack() throws {
        let low = try Settings(options: [.threshold: "0.6", .spikeHysteresis: "0.6"], environment: [:], file: nil)
        #expect(throws: ConfigurationError.self) { try low.usableSpikeDetector() }
        let usual = try Settings(options: [.threshold: "0.6", .spikeHysteresis: "0.59"], environment: [:], file: nil)
        #expect(try usual.usableSpikeDetector().hysteresis == 0.59)
    }

    @Test func windowsTooShortToBeEnteredAreSaid() throws {
        let settings = try Settings(options: [:], environment: [:], file: nil)
        let short = try MarketSeries("btc-updown-30s")
        let said = settings.missingTime(in: short, EntryWindow())
        #expect(said?.contains("btc-updown-30s: its windows take 30s") == true)
        #expect(settings.missingTime(in: short, EntryWindow(closesBeforeEnd: .seconds(2))) == nil)
        #expect(settings.missingTime(in: try MarketSeries("btc-updown-15m"), EntryWindow()) == nil)
    }

    @Test func theVariableNamesTheFileUnlessTheOptionDoes() throws {
        try self.withFile(#"{"http-port": 1001}"#) { first in
            try self.withFile(#"{"http-port": 1002}"#) { second in
                let environment = ["ODDSTREAM_CONFIG": first]
                let byVariable = try Settings(options: [:], environment: environment, file: nil)
                #expect(byVariable.server.port == 1001)
                let byOption = try Settings(options: [:], environment: environment, file: second)
                #expect(byOption.server.port == 1002)
            }
        }
    }

    @Test(arguments: Setting.allCases)
    func everySettingIsAVariableAndAKey(setting: Setting) throws {
        let value = SettingsTests.example(of: setting)
        let variable = try Settings(options: [:], environment: [setting.variable: value], file: nil)
        #expect(variable.entries[setting] == Settings.Entry(values: [value], origin: .environment))
        let json = String(decoding: try JSONEncoder().encode([setting.rawValue: value]), as: UTF8.self)
        try self.withFile(json) { path in
            let file = try Settings(options: [:], environment: [:], file: path)
            #expect(file.entries[setting] == Settings.Entry(values: [value], origin: .file(path)))
        }
    }

    private static func example(of setting: Setting) -> String {
        if setting == .fault { return "drop@10s" }
        if setting == .signalKinds { return "spike" }
        if setting == .pollEvery { return "60s" }
        return switch setting.kind {
        case .series: "eth-updown-5m"
        case .words: setting == .condition ? "0x" + String(repeating: "ab", count: 32) : "123"
        case .integer(let range): "\(range.lowerBound)"
        case .decimal(let range), .decimalOr(let range, _): "\(range.lowerBound)"
        case .size: "1GB"
        case .choice(let words): words[0]
        case .url(let schemes): "\(schemes[0])://example.test/x"
        case .time: "5m"
        case .timeOrOff: "0"
        case .staleness: "halt"
        case .text, .path: "some"
        }
    }

    @Test func marketsOnTheCommandLineReplaceThoseOfTheFile() throws {
        try self.withFile(#"{"series": ["btc-updown-5m", "eth-updown-5m"], "slug": "will-it-rain"}"#) { path in
            let file = try Settings(options: [:], environment: [:], file: path)
            #expect(
                try file.markets(default: "btc-updown-15m") == [
                    .series(try MarketSeries("btc-updown-5m")), .series(try MarketSeries("eth-updown-5m")),
                    .slug("will-it-rain"),
                ])
            let typed = try Settings(options: [.assets: "11,22"], environment: [:], file: path)
            #expect(try typed.markets(default: "btc-updown-15m") == [.assets(["11", "22"])])
        }
    }

    @Test func listsMayHoldSpacesAndEmptyVariablesCountAsUnset() throws {
        let settings = try Settings(
            options: [:], environment: ["ODDSTREAM_SLUG": "a-b, c-d", "ODDSTREAM_LINES": ""], file: nil)
        #expect(settings.words(.slug) == ["a-b", "c-d"])
        #expect(settings.entries[.lines] == nil)
    }

    @Test(arguments: [(Setting.slug, ""), (.series, ","), (.data, ""), (.lines, "")])
    func anOptionWithoutAValueIsRefused(setting: Setting, text: String) throws {
        let refusal = try #require(self.refusal(options: [setting: text]))
        #expect(refusal.status == .usage)
        #expect(refusal.description.contains(setting.option))
    }

    @Test(arguments: [
        (Setting.httpPort, "65536", "a whole number from 0 to 65535"),
        (.httpPort, "8o80", "a whole number from 0 to 65535"),
        (.lines, "0", "a whole number from 1 to 4"),
        (.source, "carrier-pigeon", "stream, poller"),
        (.logLevel, "loud", "trace, debug, info, notice, warning, error, critical"),
        (.format, "xml", "table, jsonl, none"),
        (.duration, "30", "such as 500ms, 30s, 5m or 1h"), (.pollInterval, "99ms", "at least 100ms and at most 1h"),
        (.pollInterval, "2h", "at least 100ms and at most 1h"),
        (.renewEvery, "500ms", "0 for never, or a time of at least 1s and at most 24h"),
        (.renewEvery, "25h", "at most 24h"), (.renewEvery, "10", "such as 30s, 5m or 1h"),
        (.renewEvery, "-1s", "at least 1s"),
        (.marketWS, "https://example.test", "ws:// or wss://"),
        (.clobREST, "example.test", "http:// or https://"),
        (.series, "btc-15m", "such as btc-updown-15m"),
        (.condition, "0x12", "64 hexadecimal digits"),
        (.assets, "12,x", "decimal digits"),
        (.speed, "0", "a number from"),
    ])
    func badValuesNameKeyValueAndWhatIsAllowed(setting: Setting, value: String, allowed: String) throws {
        let wrong = setting == .assets ? "x" : value
        let option = try #require(self.refusal(options: [setting: value]))
        #expect(option.description.contains("\(setting.option): '\(wrong)'"))
        #expect(option.description.contains(allowed))
        #expect(option.status == .usage)

        let variable = try #require(self.refusal(environment: [setting.variable: value]))
        #expect(variable.description.contains("\(setting.variable): '\(wrong)'"))
        #expect(variable.status == .configuration)

        try self.withFile("{\"\(setting.rawValue)\": \"\(value)\"}") { path in
            let file = try #require(self.refusal(file: path))
            #expect(file.description.contains("\(setting.rawValue) in \(path): '\(wrong)'"))
            #expect(file.status == .configuration)
        }
    }

    @Test func everyBadValueIsToldAtOnce() throws {
        let error = try #require(
            self.refusal(options: [.lines: "no"], environment: ["ODDSTREAM_HTTP_PORT": "-1"]))
        #expect(error.faults.count == 2)
        #expect(error.status == .configuration)
    }

    @Test func unknownVariablesAreRefusedAndTheReservedOnesAreNot() throws {
        let error = try #require(self.refusal(environment: ["ODDSTREAM_HTP_PORT": "1", "ODDSTREAM_": "2"]))
        #expect(error.faults.count == 2)
        #expect(error.description.contains("Did you mean ODDSTREAM_HTTP_PORT?"))
        #expect(error.status == .configuration)
        let reserved = Dictionary(uniqueKeysWithValues: Setting.reservedVariables.map { ($0, "1") })
        #expect(try Settings(options: [:], environment: reserved, file: nil).entries.isEmpty)
    }

    @Test func unknownKeysAreRefused() throws {
        try self.withFile(#"{"lins": 2, "http": {"port": 1}}"#) { path in
            let error = try #require(self.refusal(file: path))
            #expect(error.faults.count == 2)
            #expect(error.description.contains("There is no key 'lins' (in \(path))"))
            #expect(error.description.contains("Did you mean lines?"))
            #expect(error.description.contains("There is no key 'http'"))
        }
    }

    @Test(arguments: [#"{"http-port": true}"#, #"{"http-port": 1.5}"#, #"{"http-port": {}}"#, #"{"http-port": [1]}"#])
    func valuesOfAnotherTypeAreRefused(json: String) throws {
        try self.withFile(json) { path in
            let error = try #require(self.refusal(file: path))
            #expect(error.description.contains("http-port in \(path)"))
            #expect(error.description.contains("a whole number from 0 to 65535"))
        }
    }

    @Test(arguments: ["", "[]", "{", "null", "\"text\""])
    func aFileThatIsNoObjectIsRefused(text: String) throws {
        try self.withFile(text) { path in
            let error = try #require(self.refusal(file: path))
            #expect(error.description.contains("\(path) is not a JSON object"))
        }
    }

    @Test func aMissingFileIsRefused() throws {
        let error = try #require(self.refusal(file: "/nowhere/oddstream.json"))
        #expect(error.description.contains("/nowhere/oddstream.json cannot be read"))
        #expect(error.status == .configuration)
    }

    @Test(arguments: [
        ("0", Duration.zero), ("0s", .zero), ("1s", .seconds(1)), ("90s", .seconds(90)), ("24h", .seconds(86_400)),
    ])
    func connectionsAreRenewedAsOftenAsIsSaid(text: String, interval: Duration) throws {
        let option = try Settings(options: [.renewEvery: text], environment: [:], file: nil)
        #expect(try option.streamer().renewalInterval == interval)
        let variable = try Settings(options: [:], environment: ["ODDSTREAM_RENEW_EVERY": text], file: nil)
        #expect(try variable.streamer().renewalInterval == interval)
        try self.withFile("{\"renew-every\": \"\(text)\"}") { path in
            let file = try Settings(options: [:], environment: [:], file: path)
            #expect(try file.streamer().renewalInterval == interval)
            #expect(file.report(Settings.feedReport(try file.streamer())).contains("renew-every"))
        }
    }

    @Test func connectionsAreRenewedEveryTenMinutesUnlessSaidOtherwise() throws {
        let settings = try Settings(options: [:], environment: [:], file: nil)
        #expect(try settings.streamer().renewalInterval == .seconds(600))
        let report = settings.report(Settings.feedReport(try settings.streamer()))
        #expect(report.split(separator: "\n").contains { $0.hasPrefix("renew-every") && $0.contains(" 10m ") })
    }

    @Test func theSourceIsTheStreamOrThePoller() throws {
        let stream = try Settings(options: [:], environment: [:], file: nil)
        #expect(stream.source == .stream)
        #expect(try stream.streamer().pollInterval == .seconds(60))
        let poller = try Settings(
            options: [.source: "poller", .pollInterval: "250ms"], environment: [:], file: nil)
        #expect(poller.source == .poller)
        #expect(try poller.streamer().pollInterval == .milliseconds(250))
        var configuration = try poller.streamer()
        configuration.markets = [.assets(["1", "2"])]
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        #expect(try poller.liveSource(configuration, logger: logger) is MarketOddsPoller)
        #expect(try stream.liveSource(configuration, logger: logger) is RealtimeOddsStreamer)
    }

    @Test func certificateAndKeyBelongTogetherAndSpeedToATape() throws {
        for options in [[Setting.tlsCertificate: "c.pem"], [.tlsKey: "k.pem"], [.speed: "2"]] {
            let settings = try Settings(options: options, environment: [:], file: nil)
            #expect(throws: ConfigurationError.self) { try settings.simulator(series: "btc-updown-30s") }
        }
        let settings = try Settings(
            options: [.tape: "t.ndjson", .speed: "2", .seed: "7"], environment: [:], file: nil)
        let simulator = try settings.simulator(series: "btc-updown-30s")
        #expect(simulator.tape?.speed == 2)
        #expect(simulator.seed == 7)
        #expect(simulator.series.map(\.name) == ["btc-updown-30s"])
    }

    @Test func theReportShowsValuesAndOrigins() throws {
        let settings = try Settings(
            options: [.httpPort: "0"], environment: ["ODDSTREAM_HTTP_HOST": "::1"], file: nil)
        #expect(
            settings.report(settings.serviceReport) == """
                http-host  ::1  ODDSTREAM_HTTP_HOST
                http-port  0    --http-port
                data       -    default
                """)
    }
}
