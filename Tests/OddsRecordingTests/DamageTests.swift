import Foundation
import Logging
import OddsCore
import OddsRecording
import OddsTestSupport
import Testing

@Suite(.longWork) struct DamageTests {
    /// A recording's only file, with where its blocks end and how many frames lie before each end.
    private struct Made {
        var bytes: [UInt8]
        var ends: [(offset: Int, frames: Int)]
        var frames: [String]
    }

    private static func make(frames count: Int, seed: UInt64) throws -> Made {
        let directory = try TemporaryDirectory()
        let clock = HandClock()
        let recorder = try Recorder(
            RecorderConfiguration(directory: directory.path, program: "9.9", lines: 1),
            logger: Logger(label: "test"), clock: clock)
        try recorder.prepareNow().get()
        var generator = SplitMix64(seed: seed)
        var made = Made(bytes: [], ends: [], frames: [])
        func size() throws -> Int {
            let name = try directory.names().first { $0.hasSuffix(".gz") } ?? ""
            return try directory.read(name).count
        }
        var last = 0
        for index in 0..<count {
            clock.advance(.milliseconds(150))
            let frame = #"[{"n":\#(index),"x":"\#(generator.next())"}]"#
            recorder.tell(frame, at: clock.now())
            made.frames.append(frame)
            recorder.flush()
            let now = try size()
            if now != last {
                made.ends.append((now, made.frames.count))
                last = now
            }
        }
        recorder.finish()
        made.ends.append((try size(), made.frames.count))
        made.bytes = try directory.read(try #require(try directory.names().first { $0.hasSuffix(".gz") }))
        return made
    }

    @Test func aRecordingCutAnywhereIsReadUpToTheLastWholeBlock() throws {
        let made = try Self.make(frames: 120, seed: 1)
        #expect(made.ends.count > 10)
        let directory = try TemporaryDirectory()
        var generator = SplitMix64(seed: 2)
        for _ in 0..<200 {
            let cut = Int(generator.next() % UInt64(made.bytes.count))
            let path = try directory.write("cut.ndjson.gz", made.bytes.prefix(cut))
            let whole = made.ends.last { $0.offset <= cut }
            let reader = try Recording(path: path).reader()
            #expect(texts(reader) == Array(made.frames.prefix(whole?.frames ?? 0)), "cut at \(cut)")
            let end = whole?.offset ?? 0
            if cut == end {
                #expect(reader.damage.isEmpty)
            } else {
                #expect(reader.damage.count == 1)
                #expect(reader.damage.first?.file == "cut.ndjson.gz")
                if cut > 1 {
                    #expect(reader.damage.first?.offset == UInt64(end))
                    #expect(reader.damage.first?.bytes == UInt64(cut - end))
                }
            }
        }
    }

    @Test func aChangedByteCostsItsBlockAtMost() throws {
        let made = try Self.make(frames: 120, seed: 3)
        let directory = try TemporaryDirectory()
        var generator = SplitMix64(seed: 4)
        for _ in 0..<200 {
            let place = Int(generator.next() % UInt64(made.bytes.count))
            var bytes = made.bytes
            bytes[place] ^= UInt8(1 << (generator.next() % 8))
            let path = try directory.write("changed.ndjson.gz", bytes)
            let reader = try Recording(path: path).reader()
            let read = texts(reader)
            let block = made.ends.firstIndex { $0.offset > place } ?? 0
            let first = block == 0 ? 0 : made.ends[block - 1].frames
            let expected = Array(made.frames[..<first] + made.frames[made.ends[block].frames...])
            // A change that the format does not heed, such as the hint about the system, costs nothing.
            #expect(read == expected || (read == made.frames), "changed at \(place)")
            if read != made.frames { #expect(!reader.damage.isEmpty) }
        }
    }

    @Test func nothingThatLiesInAFileBreaksTheReader() throws {
        let directory = try TemporaryDirectory()
        let made = try Self.make(frames: 40, seed: 5)
        var generator = SplitMix64(seed: 6)
        for round in 0..<200 {
            var bytes: [UInt8]
            switch round % 3 {
            case 0: bytes = (0..<Int(generator.next() % 3000)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            case 1:
                bytes = made.bytes
                for _ in 0..<20 {
                    bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
                }
            default:
                // Parts of the format in any order.
                let parts = [
                    "{\"t\":", "17774280000000", ",\"m\":\"", "\\u", "\\\"", "d83d", "\"}", "\n", "{", "[", "]", "}",
                    ",\"c\":\"feed\"", ",\"e\":\"start\"", ",\"c\":", "-", "\"", "\\",
                ]
                bytes = (0..<300).flatMap { _ in Array(parts[Int(generator.next() % UInt64(parts.count))].utf8) }
            }
            let path = try directory.write("any.ndjson.gz", bytes)
            let reader = try Recording(path: path).reader()
            var rows = 0
            while let row = reader.next() {
                _ = row.content()
                rows += 1
            }
            #expect(UInt64(rows) == reader.rows)
            #expect(reader.share == 1 || bytes.isEmpty)
        }
    }

    @Test func behindABrokenFileTheNextOneIsRead() throws {
        let directory = try TemporaryDirectory()
        let made = try Self.make(frames: 40, seed: 7)
        let first = try directory.write("1.ndjson.gz", made.bytes.prefix(made.bytes.count - 5))
        let second = try directory.write("2.ndjson", #"{"t":1787365229244,"m":"[]"}"#.utf8)
        let reader = try Recording(paths: [first, second]).reader()
        var last: (text: String, time: Int64)?
        while let row = reader.next() { last = (String(decoding: row.message, as: UTF8.self), row.time) }
        #expect(last?.text == "[]")
        #expect(last?.time == 1_787_365_229_244_000_000, "milliseconds, also behind a recording")
        #expect(reader.damage.map(\.file) == ["1.ndjson.gz"])
        #expect(throws: RecordingError.self) { try Recording(path: directory.path("nothing")) }
    }
}
