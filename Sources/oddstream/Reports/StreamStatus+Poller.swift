import OddsCore

extension StreamStatus {
    /// The count of that name; nil when the source does not count it.
    private func count(_ name: String) -> UInt64? { self.counters.first { $0.name == name }?.value }

    /// How many questions a poller had answered; nil for a source that is no poller.
    var pollAnswers: UInt64? { self.count("poll.answers") }

    /// Messages read so far: from the lines, or as answers to a poller.
    var messages: UInt64 { self.lines.reduce(self.pollAnswers ?? 0) { $0 + $1.messages } }

    /// What stands where the lines would, when there are none.
    var withoutLines: String {
        guard let answers = self.pollAnswers else { return "no line yet" }
        let failures = self.count("poll.failures") ?? 0
        return "poller, \(answers) answers" + (failures > 0 ? ", \(failures) failures" : "")
    }
}
