import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The terminal on standard output: its size, and the screen taken from it and given back.
enum Terminal {
    private static let isTaken = Mutex(false)

    /// Whether standard output is a terminal that can redraw in place.
    static func isInteractive(_ environment: [String: String]) -> Bool {
        isatty(1) == 1 && environment["TERM"].map { $0 != "dumb" && !$0.isEmpty } == true
    }

    /// Columns and rows now; 80 by 24 when the terminal does not tell.
    static var size: (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Columns of the terminal that a descriptor is; 80 when it does not tell.
    static func width(of descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Takes the second screen and hides the cursor.
    static func take() {
        self.isTaken.withLock { isTaken in
            guard !isTaken else { return }
            isTaken = true
            Terminal.put("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
        }
    }

    /// Shows the cursor and gives the first screen back, as it was before. Does nothing when the screen was not taken.
    static func restore() {
        self.isTaken.withLock { isTaken in
            guard isTaken else { return }
            isTaken = false
            Terminal.put("\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l")
        }
    }

    private static func put(_ text: String) {
        // A terminal that is gone has nothing to restore, so a failed write changes nothing.
        _ = Array(text.utf8).withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    }
}

/// How lines may be dressed: with colour or without, in Unicode or in ASCII.
struct TextStyle: Equatable, Sendable {
    var colour: Bool
    var unicode: Bool

    /// What the environment allows: `NO_COLOR` takes colour away, a locale without UTF-8 takes the signs.
    init(environment: [String: String]) {
        self.colour = environment["NO_COLOR"].map(\.isEmpty) ?? true
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        self.unicode = locale.lowercased().contains("utf-8") || locale.lowercased().contains("utf8")
    }

    init(colour: Bool, unicode: Bool) {
        self.colour = colour
        self.unicode = unicode
    }

    var dash: String { self.unicode ? "–" : "-" }
    var ellipsis: String { self.unicode ? "…" : "~" }
    var arrow: String { self.unicode ? "→" : "->" }
    var mark: String { self.unicode ? "▲" : "^" }

    /// The text in a rendition (`1;32`), when there is colour.
    func dressed(_ text: String, _ rendition: String?) -> String {
        guard self.colour, let rendition, !text.isEmpty else { return text }
        return "\u{1B}[\(rendition)m\(text)\u{1B}[0m"
    }

    /// The text cut to a width, the cut marked; the end is kept when the text is an identifier, whose end tells it apart.
    func cut(_ text: String, to width: Int, keepingEnd: Bool = false) -> String {
        guard text.count > width else { return text }
        guard width > 1 else { return String(text.prefix(max(0, width))) }
        guard keepingEnd, width > 8 else { return text.prefix(width - 1) + self.ellipsis }
        let tail = (width - 1) / 2 + 1
        return text.prefix(width - 1 - tail) + self.ellipsis + text.suffix(tail)
    }
}
