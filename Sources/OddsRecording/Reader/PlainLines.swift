/// The lines of a text file, plain or gzip, one after the other, in memory that does not grow with it.
package final class PlainLines {
    private let source: RowSource
    private let log: Log

    /// What kept a part from being read; nil when all was read so far.
    package var problem: String? { self.log.problem }

    private final class Log { var problem: String? }

    /// Opens a file.
    ///
    /// - Throws: `RecordingError` when it is not there or may not be read.
    package init(path: String) throws(RecordingError) {
        let log = Log()
        self.log = log
        do throws(SystemError) {
            self.source = try RowSource(Recording.File(path: path, bytes: FileSystem.size(of: path) ?? 0)) { damage in
                if log.problem == nil { log.problem = damage.description }
            }
        } catch {
            throw RecordingError("The file \(path) cannot be opened: \(error). Check the path and its permissions.")
        }
    }

    /// The next line without its line feed; nil at the end. Valid until the next call.
    package func next() -> UnsafeRawBufferPointer? { self.source.nextLine() }
}
