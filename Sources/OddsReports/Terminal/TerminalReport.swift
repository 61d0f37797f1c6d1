/// A report's summary for a terminal: at most about forty lines.
public struct TerminalReport: Sendable {
    /// Columns.
    public var width: Int
    /// Whether colour may be used.
    public var colour: Bool
    /// Whether signs beyond ASCII may be used.
    public var unicode: Bool

    /// A terminal's properties; without colour for what is no terminal.
    public init(width: Int, colour: Bool, unicode: Bool) {
        self.width = width
        self.colour = colour
        self.unicode = unicode
    }

    /// The summary's lines, without line breaks.
    public func lines(of document: ReportDocument) -> [String] { [] }
}
