import Foundation
import Logging
import OddsCore
import Testing

@testable import RealtimeOdds
@testable import oddstream

@Suite struct PlainReportTests {
    private let style = TextStyle(colour: false, unicode: false)

    @Test func eventsAreOneLineEach() {
        let report = PlainReport(style: self.style)
        let now = Sample.now.wall
        #expect(report.lines(for: .odds(Sample.snapshot()), at: now).isEmpty)
        let receipt = RolloverReceipt(
            series: "btc-updown-15m", market: Sample.market(), previous: nil,
            boundary: Timestamp(seconds: Sample.start), firstOddsMilliseconds: -58_200)
        #expect(
            report.lines(for: .rollover(receipt), at: now) == [
                "16:05:00.000  rollover   btc-updown-15m -> btc-updown-15m-1764000000, first odds -58.2 s"
            ])
        let resolution = Resolution(market: Sample.market(), winner: .no, exchangeTime: now)
        #expect(
            report.lines(for: .resolution(resolution), at: now) == [
                "16:05:00.000  resolved   btc-updown-15m-1764000000: Down won"
            ])
        let suspect = OddsUpdate.trust(Sample.snapshot(trust: .suspect(.topMismatch)), previous: .live)
        #expect(
            report.lines(for: suspect, at: now) == [
                "16:05:00.000  trust      btc-updown-15m-1764000000: suspect: topMismatch, was live"
            ])
        #expect(report.lines(for: .overflow(lost: 5), at: now).first?.contains("5 updates were lost") == true)
    }

    @Test func theSummaryShowsCurrentMarketsAndTheFeed() {
        let lines = PlainReport(style: self.style).summary(
            [Sample.row(), Sample.nextRow], status: StreamStatus(lines: [Sample.line()]), messagesPerSecond: 52.34,
            now: Sample.now)
        #expect(
            lines == [
                "16:05:00.000  odds       btc-updown-15m-1764000000: Up 72.0% (0.71/0.73), Down 28.0% (0.27/0.29), "
                    + "left 10:00, live",
                "16:05:00.000  feed       line 0 live, 52.3 messages/s",
            ])
    }
}

@Suite struct LastSnapshotsTests {
    private let resolution = OddsUpdate.resolution(
        Resolution(market: Sample.market(), winner: .yes, exchangeTime: Timestamp(seconds: Sample.start + 915)))

    @Test func aResolutionHasTheLastOddsOfAMarketThatIsGone() {
        var last = LastSnapshots()
        _ = last.snapshot(for: .odds(Sample.snapshot()), followed: [])
        let closed = Sample.snapshot(trust: .closed)
        #expect(last.snapshot(for: .trust(closed, previous: .live), followed: []) == closed)
        #expect(last.snapshot(for: self.resolution, followed: []) == closed)
        #expect(last.snapshot(for: self.resolution, followed: []) == nil)
    }

    @Test func aRolloverForgetsMarketsThatAreGoneButNotTheOneJustReplaced() {
        func receipt(previous: Market?) -> OddsUpdate {
            .rollover(
                RolloverReceipt(
                    series: "btc-updown-15m", market: Sample.market(900), previous: previous,
                    boundary: Timestamp(seconds: Sample.start + 900), firstOddsMilliseconds: nil))
        }
        var last = LastSnapshots()
        _ = last.snapshot(for: .odds(Sample.snapshot()), followed: [])
        #expect(last.snapshot(for: receipt(previous: Sample.market()), followed: []) == nil)
        #expect(last.snapshot(for: self.resolution, followed: []) == Sample.snapshot())
        _ = last.snapshot(for: .odds(Sample.snapshot()), followed: [])
        #expect(last.snapshot(for: receipt(previous: nil), followed: []) == nil)
        #expect(last.snapshot(for: self.resolution, followed: []) == nil)
    }
}

@Suite struct MessageRateTests {
    @Test func theRateIsTakenOverTwoSeconds() {
        var rate = MessageRate()
        #expect(rate.rate(count: 0, at: MonotonicTime(nanoseconds: 0)) == 0)
        #expect(rate.rate(count: 100, at: MonotonicTime(nanoseconds: 1_000_000_000)) == 100)
        #expect(rate.rate(count: 200, at: MonotonicTime(nanoseconds: 2_000_000_000)) == 100)
        #expect(rate.rate(count: 600, at: MonotonicTime(nanoseconds: 3_000_000_000)) == 250)
        #expect(rate.rate(count: 3, at: MonotonicTime(nanoseconds: 4_000_000_000)) == 0)
    }
}

@Suite struct TraceFileTests {
    private func message(_ number: UInt64, bid: Price? = 0.481, ask: Price? = 0.5) -> AppliedMessage {
        AppliedMessage(
            number: number, line: 0, asset: "7269", eventType: "price_change",
            exchangeTime: Timestamp(milliseconds: 1_764_000_000_123), receiveTime: MonotonicTime(nanoseconds: 1000),
            publishTime: MonotonicTime(nanoseconds: 2500), bestBid: bid, bestAsk: ask)
    }

    @Test func rowsHaveTheDocumentedColumns() {
        var row: [UInt8] = []
        TraceFile.write(self.message(17), to: &row)
        #expect(String(decoding: row, as: UTF8.self) == "17,7269,price_change,1764000000123,1000,2500,0.481,0.5\n")
        row = []
        TraceFile.write(self.message(1, bid: nil, ask: nil), to: &row)
        #expect(String(decoding: row, as: UTF8.self) == "1,7269,price_change,1764000000123,1000,2500,,\n")
    }

    @Test func everyRowIsInTheFileInTheEnd() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID()).csv").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let trace = try TraceFile(path: path)
        for number in 1...20_000 { trace.applied(self.message(UInt64(number))) }
        try await trace.finish()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.first == "n,asset_id,event_type,exchange_time_ms,receive_ns,publish_ns,best_bid,best_ask")
        #expect(lines.count == 20_001)
        #expect(lines.last?.hasPrefix("20000,") == true)
    }

    @Test func aPlaceThatCannotBeWrittenIsRefusedAtOnce() {
        let error = #expect(throws: ProgramFailure.self) { try TraceFile(path: "/nowhere/trace.csv") }
        #expect(error?.status == .configuration)
        #expect(error?.message.contains("/nowhere/trace.csv") == true)
    }

    #if os(Linux)
    @Test func aFullDiskIsReported() async throws {
        let trace = try TraceFile(path: "/dev/full")
        for number in 1...10 { trace.applied(self.message(UInt64(number))) }
        let error = await #expect(throws: ProgramFailure.self) { try await trace.finish() }
        #expect(error?.message.contains("No space left on device") == true)
    }
    #endif
}

@Suite struct ByteSinkTests {
    /// A pipe whose ends are closed when the body returns.
    private func withPipe(_ body: (_ read: FileHandle, _ write: Int32) async throws -> Void) async throws {
        let pipe = Pipe()
        try await body(pipe.fileHandleForReading, pipe.fileHandleForWriting.fileDescriptor)
        try? pipe.fileHandleForWriting.close()
        try? pipe.fileHandleForReading.close()
    }

    @Test func bytesArriveInOrder() async throws {
        try await self.withPipe { reader, descriptor in
            let sink = ByteSink(descriptor: descriptor, label: "test")
            for number in 0..<100 { sink.append("\(number)\n") }
            await sink.flush()
            let text = String(decoding: reader.availableData, as: UTF8.self)
            #expect(text == (0..<100).map { "\($0)\n" }.joined())
        }
    }

    @Test func aClosedPipeEndsWritingQuietly() async throws {
        signal(SIGPIPE, SIG_IGN)
        try await self.withPipe { reader, descriptor in
            try reader.close()
            let sink = ByteSink(descriptor: descriptor, label: "test")
            sink.append("lost\n")
            await sink.flush()
            #expect(sink.failure == EPIPE)
            #expect(sink.append("refused\n") == false)
            await sink.waitForRoom()
            #expect(throws: Never.self) { try failUnlessPipeClosed(sink.failure) }
            #expect(throws: ProgramFailure.self) { try failUnlessPipeClosed(ENOSPC) }
        }
    }

    @Test func aReaderThatHasStalledDoesNotHoldUpTheEnd() async throws {
        try await self.withPipe { reader, descriptor in
            let sink = ByteSink(descriptor: descriptor, label: "test")
            sink.append { $0.append(contentsOf: [UInt8](repeating: 10, count: 4 * 1024 * 1024)) }
            sink.append { $0.append(contentsOf: [UInt8](repeating: 10, count: 4 * 1024 * 1024)) }
            let waiting = Task { await sink.waitForRoom() }
            #expect(await sink.flush(within: .milliseconds(20)) == false)
            waiting.cancel()
            await waiting.value
            try reader.close()
            await sink.waitForFailure()
            #expect(sink.failure == EPIPE)
        }
    }

    @Test func aLimitRefusesWhatDoesNotFit() async throws {
        try await self.withPipe { _, descriptor in
            let sink = ByteSink(descriptor: descriptor, label: "test")
            let isTaken = sink.append(.batched, limit: 1) { $0.append(contentsOf: [1, 2]) }
            let isTakenToo = sink.append(.batched, limit: 1) { $0.append(3) }
            #expect(isTaken)
            #expect(!isTakenToo)
            await sink.flush()
        }
    }
}

@Suite struct DoctorTests {
    @Test func findingsAreLines() {
        let report = DoctorReport(style: TextStyle(colour: false, unicode: false))
        #expect(report.line(Finding(.ok, "clock", "agrees")) == "ok    clock           agrees")
        #expect(report.line(Finding(.fail, "x", "a\nb")) == "fail  x               a\n                      b")
    }

    @Test(arguments: [(0, "ok"), (500, "ok"), (-1500, "ok"), (2500, "warn"), (-9000, "warn")])
    func theClockIsJudgedBySeconds(milliseconds: Int64, verdict: String) {
        #expect(Examination.judge(clockOffset: .milliseconds(milliseconds)).verdict.rawValue == verdict)
    }

    @Test func theDirectionOfTheOffsetIsTold() {
        #expect(Examination.judge(clockOffset: .seconds(-9)).text.hasPrefix("9.0 s behind the exchange"))
        #expect(Examination.judge(clockOffset: .seconds(9)).text.hasPrefix("9.0 s ahead of the exchange"))
    }

    @Test func tokensComeAsJSONInsideAString() {
        #expect(GammaTokens.read(#"[{"clobTokenIds":"[\"11\", \"22\"]","slug":"x"}]"#) == ["11", "22"])
        for body in ["[]", "{}", "", #"[{"clobTokenIds":"[]"}]"#, #"[{"clobTokenIds":"x"}]"#, "[{}]"] {
            #expect(GammaTokens.read(body) == nil)
        }
    }
}
