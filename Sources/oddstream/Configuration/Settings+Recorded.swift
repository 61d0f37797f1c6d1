import OddsCore
import OddsProof
import OddsRecording
import OddsTrading

/// The bot's settings go with a recording: a replay then does what the bot did that ran beside it.
extension Settings {
    /// The settings that decide what is told as a spike, and what is bought.
    static let recorded: [Setting] = [
        .basis, .threshold, .spikeHysteresis, .spikeSustain, .spikeCooldown, .noTrading, .stake, .priceCap, .slippage,
        .entryAfter, .entryBeforeEnd, .maximumStake, .maximumExposure, .maximumDailyLoss, .maximumOrdersPerMinute,
        .stalePolicy, .paperCash, .fillDelay,
    ]

    /// What a recording is to hold of a bot with these settings, defaults included: those of another version may differ.
    /// What has no limit is left out.
    func recorded(by profile: Bot.Profile) -> [String: String] {
        var texts: [String: String] = [:]
        for (setting, fallback) in Settings.botReport(entry: profile.entry, cooldown: profile.cooldown)
        where Settings.recorded.contains(setting) {
            let text = self.text(setting) ?? fallback
            if !text.isEmpty { texts[setting.rawValue] = text }
        }
        return texts
    }

    /// Takes the settings of the bot that ran beside a recorder wherever nothing else is set.
    ///
    /// - Returns: in a sentence each, what cannot be taken: settings that this version does not know or does not allow,
    ///   and those of earlier runs that were others.
    mutating func fill(from runs: [RecordingStart]) -> [String] {
        guard let bot = runs.last(where: { $0.bot != nil })?.bot else { return [] }
        var notes: [String] = []
        for (name, text) in bot.sorted(by: { $0.key < $1.key }) {
            guard let setting = Setting(rawValue: name), Settings.recorded.contains(setting),
                setting.kind.problem(with: text) == nil
            else {
                notes.append("The recorded bot had \(name) \(text), which this version cannot take.")
                continue
            }
            guard self.entries[setting] == nil else { continue }
            self.replace(setting, with: Entry(values: [text], origin: .recording))
        }
        let others = runs.count { $0.bot != nil && $0.bot != bot }
        if others > 0 {
            notes.append(
                """
                \(others) of \(runs.count) runs were recorded with other settings of the bot: those of the last one are \
                taken.
                """)
        }
        return notes
    }

    /// Each of some settings with its value and where that came from, for the facts of a report.
    func told(_ settings: [Setting]) -> [ParameterSweep.Parameter] {
        let defaults = Dictionary(Settings.botReport(entry: EntryWindow()).map { ($0.0, $0.default) }) { first, _ in
            first
        }
        return settings.map { setting in
            let entry = self.entries[setting]
            let value = entry?.values.joined(separator: ",") ?? defaults[setting] ?? ""
            let origin = entry.map { $0.origin.name(of: setting) } ?? "default"
            return ParameterSweep.Parameter(
                name: setting.rawValue, value: "\(value.isEmpty ? "none" : value) (\(origin))")
        }
    }
}
