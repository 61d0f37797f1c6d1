#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The kinds of reports a program knows, by the `schema` of their JSON.
public struct ReportRegistry: Sendable {
    private let kinds: [String: any Report.Type]

    /// A registry of types; of two of one kind the last counts.
    public init(_ types: [any Report.Type]) {
        self.kinds = Dictionary(types.map { ($0.kind, $0) }) { $1 }
    }

    /// The kinds there are, sorted.
    public var names: [String] { self.kinds.keys.sorted() }

    /// The report in a file's bytes.
    ///
    /// - Throws: `ReportError` when the bytes are no report, or one of a kind or a version that is not known.
    public func report(from json: [UInt8]) throws(ReportError) -> any Report {
        let data = Data(json)
        let schema: String
        do {
            schema = try JSONDecoder().decode(SchemaName.self, from: data).schema
        } catch {
            throw ReportError(
                .format, "This is no report: it is no JSON object with a \"schema\". Name the .json beside a report.",
                cause: error)
        }
        guard let (kind, version) = ReportHeader.parts(of: schema), let type = self.kinds[kind] else {
            throw ReportError(
                .unknownKind,
                "Reports of the schema '\(PlainText.visible(schema))' are not known here, only those of \(self.names.joined(separator: ", ")). A newer oddstream may know them."
            )
        }
        guard version == 1 else {
            throw ReportError(
                .unknownKind,
                "The report has version \(version) of its format, this program knows version 1. Use the oddstream that wrote it, or a newer one."
            )
        }
        if let (line, number) = ReportRegistry.beyondBounds(json) {
            throw ReportError(
                .format,
                "The \(kind) report is damaged: line \(line) has the number \(PlainText.visible(number)), which nothing that is measured reaches. Make it again."
            )
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw ReportError(
                .format, "The \(kind) report is damaged: \(ReportRegistry.reason(error)). Make it again.", cause: error)
        }
    }

    /// Numbers of more than this are in no report: times, bytes, counts and dollars stay far below, and what is made of
    /// them can be added up and multiplied without care.
    static let mostOfAnyNumber = 1e15

    /// The first number that is too large, and the line it is in; nil when there is none. The bytes are JSON.
    private static func beyondBounds(_ json: [UInt8]) -> (line: Int, number: String)? {
        var line = 1
        var place = 0
        while place < json.count {
            switch json[place] {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "\""):
                place += 1
                while place < json.count, json[place] != UInt8(ascii: "\"") {
                    place += json[place] == UInt8(ascii: "\\") ? 2 : 1
                }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                let text = json[place...].prefix {
                    ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                        || "+-.eE".utf8.contains($0)
                }
                let number = String(decoding: text, as: UTF8.self)
                guard let value = Double(number), abs(value) <= ReportRegistry.mostOfAnyNumber else {
                    return (line, String(number.prefix(40)))
                }
                place = text.endIndex - 1
            default: break
            }
            place += 1
        }
        return nil
    }

    private struct SchemaName: Decodable {
        var schema: String
    }

    /// Where a decoder stumbled, in few words.
    private static func reason(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the top" : "'\(PlainText.visible(path.map(\.stringValue).joined(separator: ".")))'"
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context): return "\(place(context.codingPath + [key])) is missing"
        case DecodingError.valueNotFound(_, let context): return "\(place(context.codingPath)) is null"
        case DecodingError.typeMismatch(_, let context): return "\(place(context.codingPath)) has another type"
        case DecodingError.dataCorrupted(let context): return "\(place(context.codingPath)) cannot be read"
        default: return "it cannot be read"
        }
    }
}

extension Report {
    /// The report as JSON: keys sorted, indented, one newline at the end; the same for the same report.
    ///
    /// - Throws: `ReportError` when a value has no JSON, such as a number that is not finite.
    public func json() throws(ReportError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self)) + [0x0A]
        } catch {
            throw ReportError(.format, "The \(Self.kind) report cannot be put into JSON (\(error)).", cause: error)
        }
    }
}
