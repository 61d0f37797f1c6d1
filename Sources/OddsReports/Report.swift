/// What an analysis found, as a machine reads it; what people read is made of this alone.
///
/// The JSON of a report is an object whose first keys are those of ``ReportHeader``, followed by the kind's own. Keys are
/// snake_case, times are Unix milliseconds with `_ms` at the end of the key, and absent values are null or left out.
/// A type takes the header in beside its own keys by coding both to the same coder:
///
/// ```swift
/// public init(from decoder: any Decoder) throws {
///     self.header = try ReportHeader(from: decoder)
///     self.stages = try decoder.container(keyedBy: CodingKeys.self).decode([Stage].self, forKey: .stages)
/// }
///
/// public func encode(to encoder: any Encoder) throws {
///     try self.header.encode(to: encoder)
///     var container = encoder.container(keyedBy: CodingKeys.self)
///     try container.encode(self.stages, forKey: .stages)
/// }
/// ```
public protocol Report: Codable, Sendable {
    /// What kind of report: `compare`, `replay`, `backtest`, `latency`, `soak`.
    static var kind: String { get }
    /// What every report says of itself.
    var header: ReportHeader { get }
    /// What a person reads. It depends on nothing but this value, so that a file can be rendered again at any time.
    var document: ReportDocument { get }
}

/// What every report says of itself, at the top of its JSON.
public struct ReportHeader: Sendable, Hashable, Codable {
    /// Kind and version of the format: `oddstream.compare/1`.
    public var schema: String
    /// The version of the program that made it, such as `0.1.0`.
    public var program: String
    /// When it was made, in Unix milliseconds.
    public var generatedAt: Int64
    /// What was measured: a recording's path, the exchange's address, or `simulated`.
    public var source: String
    /// When what was measured began, in Unix milliseconds; nil when nothing was measured.
    public var from: Int64?
    /// When what was measured ended, in Unix milliseconds; nil when nothing was measured.
    public var until: Int64?
    /// What was demanded, and whether it was met.
    public var verdicts: [ReportDocument.Verdict]

    /// A header of the present version of a kind's format.
    ///
    /// - Parameters:
    ///   - kind: `compare`, `replay`, `backtest`, `latency` or `soak`.
    ///   - version: The version of the format, from 1.
    ///   - program: The program's version.
    ///   - generatedAt: Now, in Unix milliseconds.
    ///   - source: What was measured.
    ///   - from: When it began, in Unix milliseconds.
    ///   - until: When it ended, in Unix milliseconds.
    ///   - verdicts: What was demanded.
    public init(
        kind: String, version: Int = 1, program: String, generatedAt: Int64, source: String, from: Int64?,
        until: Int64?, verdicts: [ReportDocument.Verdict] = []
    ) {
        self.schema = "oddstream.\(kind)/\(version)"
        self.program = program
        self.generatedAt = generatedAt
        self.source = source
        self.from = from
        self.until = until
        self.verdicts = verdicts
    }

    /// The kind its schema names; nil when the schema is none of ours.
    public var kind: String? { ReportHeader.parts(of: self.schema)?.kind }

    /// Kind and version of a schema's name.
    static func parts(of schema: String) -> (kind: String, version: Int)? {
        let halves = schema.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].hasPrefix("oddstream."), let version = Int(halves[1]), version > 0 else {
            return nil
        }
        let kind = String(halves[0].dropFirst("oddstream.".count))
        return kind.isEmpty ? nil : (kind, version)
    }

    private enum CodingKeys: String, CodingKey {
        case schema, program, source, verdicts
        case generatedAt = "generated_at_ms"
        case from = "from_ms"
        case until = "until_ms"
    }
}
