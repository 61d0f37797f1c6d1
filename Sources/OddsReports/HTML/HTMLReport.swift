/// A report as one page: everything in it, nothing fetched.
public enum HTMLReport {
    /// The page of a document, as HTML that is well-formed XML too. The same for the same document.
    public static func page(of document: ReportDocument) -> String { "" }
}
