import OddsCore
import OddsProof
import OddsRecording
import OddsTrading
import Testing

@testable import oddstream

/// The bot's settings in a recording.
@Suite struct RecordedSettingsTests {
    private static let demo = Bot.Profile(entry: EntryWindow(closesBeforeEnd: .seconds(2)), cooldown: .seconds(2))

    private func start(_ bot: [String: String]?, run: String = "a") -> RecordingStart {
        RecordingStart(
            run: run, file: 1, program: "1", lines: 2, bot: bot,
            anchor: ReceiveTime(monotonic: MonotonicTime(nanoseconds: 0), unixNanoseconds: 0))
    }

    @Test func aReplayTakesWhatTheBotHad() throws {
        let live = try Settings(
            options: [
                .threshold: "0.66", .spikeSustain: "150ms", .stake: "7.25", .stalePolicy: "1500ms",
                .fillDelay: "333ms", .paperCash: "500", .maximumDailyLoss: "12.5",
            ], environment: [:], file: nil)
        var replay = try Settings(options: [:], environment: [:], file: nil)
        #expect(replay.fill(from: [self.start(live.recorded(by: Self.demo))]) == [])
        var spikes = try live.usableSpikeDetector()
        spikes.cooldown = .seconds(2)
        #expect(try replay.usableSpikeDetector() == spikes)
        let strategy = replay.strategy(entry: EntryWindow())
        #expect(strategy == live.strategy(entry: Self.demo.entry))
        #expect(strategy.entry == Self.demo.entry)
        #expect(try replay.riskCheck(strategy).limits == live.riskCheck(strategy).limits)
        #expect(try replay.riskCheck(strategy).stalePolicy == live.riskCheck(strategy).stalePolicy)
        #expect(replay.paperCash == 500 && replay.fillDelay == .milliseconds(333))
        #expect(!replay.flag(.noTrading))
    }

    @Test func theDefaultsAreRecordedToo() throws {
        let live = try Settings(options: [:], environment: [:], file: nil)
        let recorded = live.recorded(by: Bot.Profile())
        // What has no limit by default has no text.
        let texts = Settings.recorded.filter { recorded[$0.rawValue] != nil }
        #expect(texts.count >= Settings.recorded.count - 4)
        var replay = try Settings(options: [:], environment: [:], file: nil)
        #expect(replay.fill(from: [self.start(recorded)]) == [])
        #expect(replay.strategy(entry: EntryWindow()) == live.strategy(entry: EntryWindow()))
        #expect(try replay.usableSpikeDetector() == live.usableSpikeDetector())
    }

    @Test func whatIsGivenWins() throws {
        var replay = try Settings(
            options: [.threshold: "0.8"], environment: ["ODDSTREAM_STAKE": "3"], file: nil)
        let notes = replay.fill(from: [self.start(["threshold": "0.6", "stake": "4", "fill-delay": "1s"])])
        #expect(notes == [])
        let told = replay.told([.threshold, .stake, .fillDelay, .paperCash]).map { "\($0.name) \($0.value)" }
        #expect(
            told == [
                "threshold 0.8 (--threshold)", "stake 3 (ODDSTREAM_STAKE)", "fill-delay 1s (the recording)",
                "paper-cash 1000 (default)",
            ])
    }

    @Test func withoutABotTheDefaultsHold() throws {
        var replay = try Settings(options: [:], environment: [:], file: nil)
        #expect(replay.fill(from: []) == [])
        #expect(replay.fill(from: [self.start(nil)]) == [])
        #expect(replay.entries.isEmpty)
    }

    @Test func whatCannotBeTakenIsSaid() throws {
        var replay = try Settings(options: [:], environment: [:], file: nil)
        let runs = [
            self.start(["threshold": "0.6"], run: "a"), self.start(nil, run: "b"),
            self.start(["threshold": "many", "http-port": "1", "moods": "2", "stake": "4"], run: "c"),
        ]
        let notes = replay.fill(from: runs)
        #expect(notes.count == 4)
        #expect(notes.contains { $0.contains("threshold many") })
        #expect(notes.contains { $0.contains("http-port 1") })
        #expect(notes.contains { $0.contains("moods 2") })
        #expect(notes.last?.hasPrefix("1 of 3 runs were recorded with other settings") == true)
        #expect(replay.entries.keys.map(\.rawValue) == ["stake"])
    }
}
