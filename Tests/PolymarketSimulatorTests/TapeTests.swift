import Foundation
import OddsCore
import OddsTestSupport
import Testing

@testable import PolymarketSimulator

@Suite(.timeLimit(.minutes(5))) struct TapeTests {
    private static let book =
        #"[{"market":"0x01","asset_id":"11","timestamp":"1000","hash":"","bids":[],"asks":[],"event_type":"book"}]"#
    private static let change = #"{"market":"0x01", "price_changes":[{"asset_id": "11"}, {"asset_id":"22"}]}"#
    private static let other = #"{"asset_id":"33","note":"\u00fc \\ \/ \ud83d\ude00"}"#

    private static func row(_ time: Int, _ frame: String) throws -> String {
        let quoted = String(decoding: try JSONEncoder().encode(frame), as: UTF8.self)
        return #"{"t":\#(time),"m":\#(quoted)}"#
    }

    private static func tape() throws -> String {
        try [
            Self.row(1_000, Self.book), Self.row(1_000, Self.change), Self.row(2_000, Self.other),
            Self.row(9_000, Self.change),
        ].joined(separator: "\n") + "\n"
    }

    /// The same tape, by `gzip -9 | base64`.
    private static let compressed =
        "H4sIAAAAAAACA72PQQqDMBBF9z1FmLXQqJvWqzhFopnWIFExsbSE3L0xUqml6waSyXyG/984sFCknPMENBRQOgQtpo4sQoHAHzxF"
        + "SBCEMWQrJaOarppVmowVelzF4BHlVpg2KrGrlTShKy/RpNv+dKfeVvY5Upyth6FD8BfwB7cn+gnEEMZJNVQ1rehvFF3djpKtmD5h"
        + "7os+y5Yg/07KPpN2g3keN+gHuzIizpxfG4bhhOcY7ixPuVwKLctvnud/0L8Alyxj/boBAAA="

    @Test func rowsAreReadVerbatim() throws {
        let tape = try Tape(ndjson: try Self.tape().utf8)
        #expect(tape.rows.map(\.milliseconds) == [1_000, 1_000, 2_000, 9_000])
        #expect(
            tape.rows.map { String(decoding: $0.frame, as: UTF8.self) } == [
                Self.book, Self.change, Self.other, Self.change,
            ])
        #expect(tape.rows.map(\.assets) == [["11"], ["11", "22"], ["33"], ["11", "22"]])
        let plain = try Tape(ndjson: (Self.change + "\r\n" + Self.book).utf8)
        #expect(plain.rows.map(\.milliseconds) == [0, 0])
        #expect(plain.rows.map(\.assets) == [["11", "22"], ["11"]])
    }

    @Test(arguments: ["", "PONG", "{\"t\":1,\"m\":\"open", "{\"t\":1,\"m\":\"\\x\"}", "\n\n"])
    func brokenTapesAreRefused(_ text: String) throws {
        #expect { _ = try Tape(ndjson: text.utf8) } throws: { ($0 as? SimulatorError)?.code == .tape }
    }

    @Test func timeBeginsWithTheFirstSubscriptionAndRunsAtTheSpeedAsked() throws {
        var player = TapePlayer(tape: try Tape(ndjson: try Self.tape().utf8), speed: 2)
        func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }
        #expect(player.advance(to: at(5_000)).isEmpty)
        player.subscribed(now: at(5_000))
        #expect(player.advance(to: at(5_000)).count == 2)
        #expect(player.advance(to: at(5_499)).isEmpty)
        #expect(player.advance(to: at(5_500)).count == 1)
        #expect(!player.isAtEnd)
        #expect(player.advance(to: at(9_000)).count == 1)
        #expect(player.isAtEnd)
    }

    @Test(arguments: [false, true]) func aTapeIsServedToItsSubscribers(_ compressed: Bool) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let content = compressed ? try #require(Data(base64Encoded: Self.compressed)) : Data(try Self.tape().utf8)
        try content.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let tape = file.path
        try await SimulatorHarness.with {
            $0.tape = .init(path: tape, speed: .infinity)
        } _: { harness in
            let socket = try await harness.connect()
            socket.send(#"{"type":"market","assets_ids":["11"]}"#)
            try await socket.settle()
            try await harness.pass(.milliseconds(10))
            try await socket.settle()
            #expect(socket.texts == ["PONG", Self.book, Self.change, Self.change, "PONG"])
        }
    }

    @Test func aTapeThatIsNotThereSaysSo() async throws {
        await #expect {
            try await SimulatorHarness.with({ $0.tape = .init(path: "/nowhere/tape.gz") }, { _ in })
        } throws: { ($0 as? SimulatorError)?.code == .tape }
    }
}
