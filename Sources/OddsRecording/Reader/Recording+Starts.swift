public import OddsCore

extension Recording {
    /// What the first row of each run says, in the order in which the runs were recorded; empty for tapes.
    ///
    /// Reads the first rows of each file, on the calling thread. A file that cannot be opened is passed over: the reader
    /// tells of it.
    public func starts() -> [RecordingStart] {
        var starts: [RecordingStart] = []
        var decoder = RecordingRowDecoder()
        for file in self.files {
            guard let source = try? RowSource(file, onDamage: { _ in }), let line = source.nextLine(),
                let row = decoder.decode(line), row.kind == .note, case .note(.start(let start)) = row.content(),
                start.run != starts.last?.run
            else { continue }
            starts.append(start)
        }
        return starts
    }
}
