import OddsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Records as JSON and as CSV: the same keys and values as the API gives.
enum RecordLines {
    /// One record as JSON, with sorted keys.
    static func json(_ record: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(record), as: UTF8.self)
    }

    /// The first line of a CSV file.
    static func csvHeader(_ keys: [String]) -> String { keys.map(Self.field).joined(separator: ",") }

    /// One record as a line of CSV (RFC 4180, without its end): the values of the keys, in their order; absent ones empty.
    static func csv(_ record: some Encodable, keys: [String]) throws -> String {
        let values = try JSONDecoder().decode([String: Value].self, from: try JSONEncoder().encode(record))
        return keys.map { Self.field(values[$0]?.text ?? "") }.joined(separator: ",")
    }

    /// Text as one field: in quotes where it holds a quote, a comma or the end of a line.
    static func field(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }

    /// The keys of a kind of record, in the order they are documented.
    static func keys(of kind: HistoryRecord.Kind) -> [String] {
        func names<Key: CodingKey & CaseIterable>(_ type: Key.Type) -> [String] { Key.allCases.map(\.stringValue) }
        return switch kind {
        case .market: names(MarketRecord.CodingKeys.self)
        case .odds: names(OddsPoint.CodingKeys.self)
        case .spike: names(SpikeRecord.CodingKeys.self)
        case .incident: names(IncidentRecord.CodingKeys.self)
        case .trade: names(TradeRecord.CodingKeys.self)
        case .fill: names(FillRecord.CodingKeys.self)
        case .settlement: names(SettlementRecord.CodingKeys.self)
        case .refusal: names(RefusalRecord.CodingKeys.self)
        case .referencePrice: names(ReferencePriceRecord.CodingKeys.self)
        case .signal: names(SignalRecord.CodingKeys.self)
        }
    }

    /// A value of a record, as it is written into a field.
    private enum Value: Decodable {
        case none
        case text(String)
        case list([Value])
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .none
            } else if let flag = try? value.decode(Bool.self) {
                self = .text("\(flag)")
            } else if let number = try? value.decode(Int64.self) {
                self = .text("\(number)")
            } else if let number = try? value.decode(Double.self) {
                self = .text("\(number)")
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else if let list = try? value.decode([Value].self) {
                self = .list(list)
            } else {
                self = .object(try value.decode([String: Value].self))
            }
        }

        /// Lists as `1 2`, objects as `a=1 b=2`.
        var text: String {
            switch self {
            case .none: ""
            case .text(let text): text
            case .list(let list): list.map(\.text).joined(separator: " ")
            case .object(let object):
                object.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }.joined(separator: " ")
            }
        }
    }
}
