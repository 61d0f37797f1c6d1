import Foundation
import OddsCore
import OddsRecording
import OddsTestSupport
import Testing

@Suite struct TapeTests {
    @Test func tapesOfOthersAndBareFramesAreRead() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "tape.ndjson",
            """
            {"t": 1777365229244, "m": "[{\\"a\\": \\"\\u00e9\\ud83d\\ude00\\/\\"}]"}

            {"event_type":"book"}\r
            {"t":1777365229244123,"m":"PONG"}
            {"t":1777365229244123456,"m":"last, without a line feed"}
            """.utf8)
        let reader = try Recording(path: path).reader()
        var rows: [(Int64, Bool, String)] = []
        while let row = reader.next() {
            rows.append((row.time, row.isTimed, String(decoding: row.message, as: UTF8.self)))
        }
        #expect(
            rows.map(\.0) == [
                1_777_365_229_244_000_000, 1_777_365_229_244_000_000, 1_777_365_229_244_123_000,
                1_777_365_229_244_123_456,
            ])
        #expect(rows.map(\.1) == [true, false, true, true])
        #expect(
            rows.map(\.2) == [#"[{"a": "é😀/"}]"#, #"{"event_type":"book"}"#, "PONG", "last, without a line feed"])
        #expect(reader.damage.isEmpty)
    }

    @Test func severalAreReadInTheOrderOfTheirTimes() throws {
        let directory = try TemporaryDirectory()
        let late = try directory.write("a.ndjson", "{\"t\":1777365229244,\"m\":\"late\"}\n".utf8)
        let early = try directory.write("b.ndjson", "\u{FEFF}{\"t\":1777365220000,\"m\":\"early\"}\n".utf8)
        let recording = try Recording(paths: [late, early])
        let reader = recording.reader()
        #expect(texts(reader) == ["early", "late"])
        #expect(recording.isSorted && reader.damage.isEmpty)
        #expect(try !Recording(paths: [early, late]).isSorted)
    }

    @Test func aRowThatIsNoneIsTold() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "tape.ndjson", "{\"t\":1,\"m\":\"a\"}\nhello\n{\"t\":2,\"m\":\"cut\n{\"t\":3,\"m\":\"b\"}\n".utf8)
        let reader = try Recording(path: path).reader()
        #expect(texts(reader) == ["a", "b"])
        #expect(reader.unreadableRows == 2)
        #expect(reader.damage.count == 2)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: Captures.folder.path())))
    func theCapturesAreRead() throws {
        let folder = FileManager.default
        for (name, frames) in [
            ("nhl-20260607-first12min.ndjson.gz", 67_601), ("updown-15m-ws-verbatim.ndjson.gz", 116),
        ] {
            let path = Captures.folder.appending(path: name).path()
            guard folder.fileExists(atPath: path) else { continue }
            let reader = try Recording(path: path).reader()
            #expect(texts(reader).count == frames)
            #expect(reader.damage.isEmpty)
        }
    }
}
