import Foundation
import OddsCore
import OddsRecording
import Testing

@testable import oddstream

@Suite(.timeLimit(.minutes(5))) struct RecordProgramTests {
    /// What lies in a recording, by channel and kind.
    private struct Found {
        var messages: [RecordedChannel: Int] = [:]
        var opened: Set<Int> = []
        var followed: Set<MarketID> = []
        var answers = 0
        var isEnded = false

        init(_ path: String) throws {
            let reader = try Recording(path: path).reader()
            while let row = reader.next() {
                switch row.content() {
                case .message: self.messages[row.channel, default: 0] += 1
                case .connection(.open): if row.channel != .reference { self.opened.insert(row.connection) }
                case .command(.follow(let market)): self.followed.insert(market.id)
                case .answer: self.answers += 1
                case .note(.end): self.isEnded = true
                default: break
                }
            }
            #expect(reader.damage.isEmpty)
        }
    }

    private func directory() -> String {
        FileManager.default.temporaryDirectory.appending(path: "oddstream-\(UUID().uuidString)").path()
    }

    @Test func theDemoRecordsEverything() async throws {
        let directory = self.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let demo = try ProgramRun(["demo", "--http-port", "0", "--record", directory])
        // Odds are live on both lines by the time that they are shown.
        for await line in demo.lines where line.contains("  odds ") && line.hasSuffix(", live") { break }
        for await line in demo.lines where line.contains("line 0 live, line 1 live") { break }
        demo.send(SIGTERM)
        #expect(await demo.wait() == 0)
        let found = try Found(directory)
        #expect(found.messages[.line(0)] ?? 0 > 0)
        #expect(found.messages[.line(1)] ?? 0 > 0)
        #expect(found.opened.count >= 2)
        #expect(!found.followed.isEmpty)
        #expect(found.answers > 0)
        #expect(found.isEnded)
        let manifest = try RecordingManifest.read(in: directory)
        #expect(manifest.runs.map(\.isEndedInOrder) == [true])
        #expect(manifest.runs.first?.endpoints["market_channel"] == "127.0.0.1")
        #expect(Set(manifest.markets.map(\.id)) == Set(found.followed.map(\.rawValue)))
        #expect(try Recording(path: directory).verify().isIntact)
    }

    @Test func whatCannotBeWrittenIsSaidAtTheBeginning() async throws {
        let outcome = try await ProgramRun.outcome(["record", "/proc/nowhere", "--for", "1s"])
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains("/proc/nowhere"))
    }

    @Test func sizesAreReadAndWrittenAsPeopleDo() {
        #expect(SizeText.parse("20GB") == 20_000_000_000)
        #expect(SizeText.parse("1.5MB") == 1_500_000)
        #expect(SizeText.parse("100kB") == 100_000)
        #expect(SizeText.parse("12B") == 12)
        for text in ["", "GB", "20", "-1GB", "1e3GB", "20 GB", "999999999999TB"] {
            #expect(SizeText.parse(text) == nil, "\(text)")
        }
        #expect(SizeText.text(842) == "842 B")
        #expect(SizeText.text(12_340_000) == "12.3 MB")
        #expect(SizeText.text(256_000_000) == "256 MB")
    }
}
