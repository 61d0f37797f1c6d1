import Foundation
import FuzzDriver
import OddsCore

/// Decodes frames of the market channel twice, compares what they say with a strict reading, and puts them into books
/// that follow two markets.
///
/// An input is one frame, or several with a NUL between them.
@main
enum MarketFrameFuzzer {
    static func main() {
        exit(runFuzzer { data, count in MarketFrameFuzzer.test(UnsafeRawBufferPointer(start: data, count: count)) })
    }

    private static func test(_ input: UnsafeRawBufferPointer) -> CInt {
        guard !input.isEmpty else { return -1 }
        var decoder = MarketFrameDecoder()
        let frames = input.split(separator: 0, maxSplits: 31).map(UnsafeRawBufferPointer.init(rebasing:))
        var heard = false
        for frame in frames {
            withExactCopy(of: frame) { if Self.compare(UnsafeRawBufferPointer($0), with: &decoder) { heard = true } }
        }
        // Books cost many times what decoding costs: one input in eight gets them.
        let choice = input.reduce(0) { $0 ^ $1 }
        guard heard, choice & 7 == 0 else { return 0 }
        let witness = BookWitness(bare: choice & 8 == 0)
        // The snapshots come first, as they do on the wire: without them nothing else is applied.
        for text in Self.snapshots { text.withUnsafeBytes { witness.receive($0, with: &decoder) } }
        for frame in frames { witness.receive(frame, with: &decoder) }
        witness.finish()
        return 0
    }

    /// A decoder that has read other frames and a new one must find the same, and the strict reading must agree.
    /// - Returns: whether the frame says anything.
    private static func compare(_ frame: UnsafeRawBufferPointer, with used: inout MarketFrameDecoder) -> Bool {
        let first = Self.read(frame, with: &used)
        var fresh = MarketFrameDecoder()
        let second = Self.read(frame, with: &fresh)
        promise(first == second, "the same bytes were understood in two ways")
        let kinds = first.events.kinds
        if first.fault != nil, frame.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") {
            promise(kinds.isEmpty, "a refused object was delivered")
        }
        guard let json = StrictJSON.parse(Array(frame)), let events = StrictReading.events(of: json) else {
            return !kinds.isEmpty
        }
        if first.fault != nil {
            promise(
                events.contains { StrictReading.kind(of: $0) != .unknown || $0.repeatsKeys },
                "an event that is not known here was refused")
            return !kinds.isEmpty
        }
        promise(kinds.count == events.count, "an event was lost or made up")
        guard !json.repeatsKeys else { return !kinds.isEmpty }
        promise(kinds == events.map { StrictReading.kind(of: $0).rawValue }, "an event was taken for another")
        if let digest = StrictReading.digest(of: json) {
            promise(first.events == digest, "an event does not say what its frame says")
        }
        return !kinds.isEmpty
    }

    private struct Reading: Equatable {
        var events: FrameDigest
        var rest: FrameDigest
        var fault: FrameFault?
        var unknownFields: UInt64
    }

    private static func read(_ frame: UnsafeRawBufferPointer, with decoder: inout MarketFrameDecoder) -> Reading {
        var handler = DigestingHandler()
        var fault: FrameFault?
        let before = decoder.unknownFields
        do throws(FrameFault) { try decoder.decode(frame, into: &handler) } catch { fault = error }
        return Reading(
            events: handler.digest, rest: handler.rest, fault: fault, unknownFields: decoder.unknownFields - before)
    }

    private static let snapshots: [[UInt8]] = {
        let up = "11" + String(repeating: "2345678901", count: 7) + "23456"
        let down = "98" + String(repeating: "7654321098", count: 7) + "76543"
        func book(_ market: String, _ asset: String) -> String {
            """
            {"market":"\(market)","asset_id":"\(asset)","timestamp":"1790000000000","hash":"",\
            "bids":[{"price":"0.01","size":"9"},{"price":"0.48","size":"30"}],\
            "asks":[{"price":"0.99","size":"9"},{"price":"0.52","size":"30"}],"event_type":"book"}
            """
        }
        let first = "0x" + String(repeating: "5a", count: 32)
        return [
            "[\(book(first, up)),\(book(first, down))]", "[\(book("0xb", "31")),\(book("0xb", "32"))]",
        ].map { Array($0.utf8) }
    }()
}
