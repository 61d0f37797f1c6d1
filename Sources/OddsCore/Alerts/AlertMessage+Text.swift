extension AlertMessage {
    /// The message as plain text for people, of at most `limit` UTF-16 units.
    ///
    /// When it is too long, every alert keeps an equal share and says how much of it was cut off, so that a long one
    /// does not cost the others their place.
    public func plainText(limit: Int) -> String {
        let notes = self.notes
        let blocks = self.alerts.map(\.plainText)
        let whole = AlertMessage.joined(blocks, notes)
        guard whole.utf16.count > limit else { return whole }
        let frame = AlertMessage.joined(blocks.map { _ in "" }, notes).utf16.count
        let share = max(0, limit - frame) / max(1, blocks.count)
        return AlertMessage.joined(blocks.map { AlertMessage.cut($0, limit: share) }, notes)
    }

    private static func joined(_ blocks: [String], _ notes: [String]) -> String {
        let head = blocks.count > 1 ? ["\(blocks.count) alerts"] : []
        return (head + blocks + notes).joined(separator: "\n\n")
    }

    private var notes: [String] {
        var notes: [String] = []
        if self.leftOut > 0 {
            let what = self.leftOut == 1 ? "1 earlier alert was" : "\(self.leftOut) earlier alerts were"
            notes.append("\(what) left out because too many were waiting.")
        }
        if self.mayRepeat { notes.append("Sent again: nobody confirmed attempt \(self.attempt - 1).") }
        return notes
    }

    /// The text, cut behind a whole character so that it has at most `limit` UTF-16 units, the note about it included.
    static func cut(_ text: String, limit: Int) -> String {
        guard text.utf16.count > limit else { return text }
        let characters = text.count
        // No note is longer than the one that tells of every character.
        let room = limit - AlertMessage.cutNote(characters).utf16.count
        guard room >= 0 else { return "" }
        var end = text.startIndex
        var kept = 0
        var units = 0
        while end < text.endIndex {
            let next = text.index(after: end)
            units += text[end..<next].utf16.count
            guard units <= room else { break }
            end = next
            kept += 1
        }
        return text[..<end] + AlertMessage.cutNote(characters - kept)
    }

    private static func cutNote(_ characters: Int) -> String { " … (\(characters) characters cut)" }
}

extension Alert {
    /// The alert as plain text: severity and title, what happened, when.
    var plainText: String {
        var lines = ["\(self.severity.rawValue.uppercased()): \(self.title)"]
        if !self.text.isEmpty { lines.append(self.text) }
        if let downtime = self.downtime { lines.append("It lasted \(Alert.spoken(downtime)).") }
        lines.append(self.time.iso8601)
        return lines.joined(separator: "\n")
    }

    /// A time in the two units that matter: `0.4 s`, `42 s`, `3 min 20 s`, `1 h 2 min`, `2 d 3 h`.
    static func spoken(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        if seconds < 10 {
            let tenths = max(0, duration.wholeNanoseconds) / 100_000_000
            return "\(tenths / 10).\(tenths % 10) s"
        }
        let units: [(name: String, length: Int64)] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
        let first = units.firstIndex { seconds >= $0.length } ?? units.endIndex - 1
        let whole = "\(seconds / units[first].length) \(units[first].name)"
        let rest = seconds % units[first].length
        guard first + 1 < units.endIndex, rest >= units[first + 1].length else { return whole }
        return "\(whole) \(rest / units[first + 1].length) \(units[first + 1].name)"
    }
}
