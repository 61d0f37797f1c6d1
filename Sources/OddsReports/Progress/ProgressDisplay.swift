public import OddsCore
import Synchronization

/// How far something is, for the person who waits: share, rate and time left, for everything that takes longer than two
/// seconds. Safe to be told from any thread.
///
/// On a terminal it is one line that is rewritten in place and gone at the end; elsewhere a line after ten seconds, every
/// ten seconds in the first minute and every minute after that.
public final class ProgressDisplay: Sendable {
    /// Where it is shown.
    public enum Form: Sendable, Hashable {
        /// One line of a terminal that many columns wide; with Unicode or in ASCII.
        case terminal(width: Int, unicode: Bool)
        /// Lines now and then, such as in a log.
        case lines
        /// Nowhere.
        case silent
    }

    private let line: Mutex<ProgressLine>
    private let clock: any StreamClock
    private let write: @Sendable (String) -> Void

    /// A display that begins now.
    ///
    /// - Parameters:
    ///   - what: What is done, such as `Replaying`.
    ///   - unit: What is counted, such as `frames`; nil when only the share is known.
    ///   - form: Where it is shown.
    ///   - clock: What time is measured with.
    ///   - write: Takes what is to be written, to standard error as a rule; called under a lock, in order.
    public init(
        _ what: String, unit: String? = nil, form: Form, clock: any StreamClock,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.line = Mutex(ProgressLine(what, unit: unit, form: form, now: clock.now().monotonic))
        self.clock = clock
        self.write = write
    }

    /// Says how far it is. Cheap enough for a few thousand calls a second; it writes five times a second at most.
    ///
    /// - Parameters:
    ///   - share: What share is done, from 0 to 1; it never goes back.
    ///   - count: How many units are done; nil when none are counted.
    public func advance(to share: Double, count: Int64? = nil) {
        let now = self.clock.now().monotonic
        self.line.withLock { line in
            if let text = line.advanced(to: share, count: count, now: now) { self.write(text) }
        }
    }

    /// Takes the line off the terminal, so that something else can be written; it comes back with the next advance.
    public func hide() {
        self.line.withLock { line in
            if let text = line.hidden() { self.write(text) }
        }
    }

    /// Says that it is over, as soon as it is, also when it failed. Nothing is shown afterwards.
    public func finish() {
        let now = self.clock.now().monotonic
        self.line.withLock { line in
            if let text = line.finished(now: now) { self.write(text) }
        }
    }
}

/// What a progress display writes and when: shares in, text out, nothing performed.
struct ProgressLine: Sendable {
    private let what: String
    private let unit: String?
    private let form: ProgressDisplay.Form
    private let began: MonotonicTime
    private var estimate: ProgressEstimate
    private var lastWritten: MonotonicTime?
    private var isShown = false
    private var isFinished = false

    /// Nothing is shown of what is over before.
    private static let patience = Duration.seconds(2)
    /// The terminal's line is not rewritten more often.
    private static let redraw = Duration.milliseconds(200)

    init(_ what: String, unit: String?, form: ProgressDisplay.Form, now: MonotonicTime) {
        self.what = PlainText.visible(what)
        self.unit = unit.map(PlainText.visible)
        self.form = form
        self.began = now
        self.estimate = ProgressEstimate(now: now)
    }

    mutating func advanced(to share: Double, count: Int64?, now: MonotonicTime) -> String? {
        guard !self.isFinished, self.form != .silent else { return nil }
        self.estimate.advance(to: share, count: count, now: now)
        switch self.form {
        case .silent: return nil
        case .terminal(let width, let unicode):
            guard self.began.duration(to: now) >= ProgressLine.patience,
                self.lastWritten.map({ $0.duration(to: now) >= ProgressLine.redraw }) ?? true
            else { return nil }
            self.lastWritten = now
            self.isShown = true
            return "\r" + self.text(width: width, unicode: unicode, now: now) + "\u{1B}[K"
        case .lines:
            let elapsed = self.began.duration(to: now)
            let pause = elapsed < .seconds(69) ? Duration.seconds(10) : .seconds(60)
            guard (self.lastWritten ?? self.began).duration(to: now) >= pause else { return nil }
            self.lastWritten = now
            return self.text(width: .max, unicode: false, now: now) + "\n"
        }
    }

    mutating func hidden() -> String? {
        guard self.isShown else { return nil }
        self.isShown = false
        self.lastWritten = nil
        return "\r\u{1B}[K"
    }

    mutating func finished(now: MonotonicTime) -> String? {
        guard !self.isFinished else { return nil }
        self.isFinished = true
        if let cleared = self.hidden() { return cleared }
        guard self.form == .lines, self.lastWritten != nil else { return nil }
        return "\(self.what): done after \(SpanText.passed(self.began.duration(to: now).secondsValue))\n"
    }

    /// The line, with as much of it as there is room for: the words and the share first, then the time left, rate, bar.
    private func text(width: Int, unicode: Bool, now: MonotonicTime) -> String {
        let state = self.estimate.state(now: now)
        // 100 % is only said of what is done.
        let percent = state.share >= 1 ? 100 : min(99, Int(state.share * 100))
        let left = state.left.flatMap { state.share < 1 ? SpanText.left($0) : nil }
        let rate = self.unit.flatMap { unit in
            state.rate.map { "\(NumberText.short($0)) \(unit)/s" }
        }
        guard width < .max else {
            let parts = ["\(percent) %", rate, left].compactMap { $0 }
            return "\(self.what): \(parts.joined(separator: ", "))"
        }
        let head = self.what
        let share = (percent < 10 ? "  " : percent < 100 ? " " : "") + "\(percent) %"
        // The last column stays free: some terminals wrap as soon as it is filled.
        let room = max(0, width - 1)
        var parts = [head, share]
        func length(_ parts: [String]) -> Int { parts.map(\.count).reduce(0, +) + 2 * (parts.count - 1) }
        if let left, length(parts + [left]) <= room { parts.append(left) }
        if let rate, length(parts + [rate]) <= room { parts.insert(rate, at: 2) }
        let free = min(30, room - length(parts) - 2)
        if free >= 8 { parts.insert(ProgressLine.bar(state.share, width: free, unicode: unicode), at: 1) }
        return String(parts.joined(separator: "  ").prefix(room))
    }

    private static func bar(_ share: Double, width: Int, unicode: Bool) -> String {
        guard unicode else {
            let full = Int((share * Double(width - 2)).rounded(.down))
            return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - 2 - full) + "]"
        }
        let eighths = Int((share * Double(width) * 8).rounded(.down))
        let part = eighths % 8 == 0 ? "" : ["▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8 - 1]
        let full = String(repeating: "█", count: eighths / 8) + part
        return full + String(repeating: "░", count: width - full.count)
    }
}

/// Spans of time as people say them.
enum SpanText {
    /// What is left, no finer than it can be known: `a few seconds left`, `about 40 s left`, `about 3 min left`.
    static func left(_ seconds: Double) -> String {
        switch seconds {
        case ..<8: return "a few seconds left"
        case ..<57: return "about \(max(10, Int((seconds / 5).rounded()) * 5)) s left"
        case ..<900: return "about \(Int((seconds / 60).rounded(.up))) min left"
        case ..<3450: return "about \(Int((seconds / 300).rounded(.up)) * 5) min left"
        case ..<172_800:
            let minutes = Int((seconds / 600).rounded(.up)) * 10
            return "about \(minutes / 60) h" + (minutes % 60 == 0 ? "" : " \(minutes % 60) min") + " left"
        default: return "about \(Int((seconds / 86_400).rounded())) days left"
        }
    }

    /// What has passed: `4 s`, `3 min 12 s`, `1 h 5 min`, `2 d 3 h`.
    static func passed(_ seconds: Double) -> String {
        let whole = Int64(max(0, seconds).rounded())
        func both(_ large: Int64, _ name: String, _ small: Int64, _ other: String) -> String {
            "\(large) \(name)" + (small == 0 ? "" : " \(small) \(other)")
        }
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return both(whole / 60, "min", whole % 60, "s") }
        if whole < 86_400 { return both(whole / 3600, "h", whole / 60 % 60, "min") }
        return both(whole / 86_400, "d", whole / 3600 % 24, "h")
    }
}
