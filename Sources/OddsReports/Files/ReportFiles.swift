public import OddsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A report on disk: the page for people, and beside it the JSON it is made of.
///
/// Files come into being whole or not at all, and never in place of somebody else's.
public struct ReportFiles: Sendable, Hashable {
    /// The path of the page.
    public let html: String
    /// The path of the JSON.
    public let json: String

    /// Where a command's report goes when nobody says: `oddstream-<command>-<UTC yyyymmdd-hhmmss>`.
    public static func defaultPrefix(command: String, at time: Timestamp) -> String {
        let digits = time.iso8601.prefix(19).filter { $0.isNumber }
        return "oddstream-\(command)-\(digits.prefix(8))-\(digits.suffix(6))"
    }

    /// Writes a report as `PREFIX.html` and `PREFIX.json`; as `PREFIX-2…` and so on when either is there already.
    ///
    /// Both appear under the same name or neither does. Nothing that was there is touched.
    ///
    /// - Throws: `ReportError` when the files cannot be written: it names the path and what to do.
    public static func write(_ report: some Report, prefix: String) throws(ReportError) -> ReportFiles {
        let bytes = try report.json()
        let page = HTMLReport.page(of: report.document)
        let stem = ReportFiles.stem(prefix)
        let drafts = ReportFiles(html: ReportFiles.draft(stem, "html"), json: ReportFiles.draft(stem, "json"))
        defer {
            // What a name was given to lives on under that name.
            unlink(drafts.html)
            unlink(drafts.json)
        }
        try ReportFiles.put(bytes, at: drafts.json, for: stem + ".json")
        try ReportFiles.put(Array(page.utf8), at: drafts.html, for: stem + ".html")
        for number in 1...9_999 {
            let name = number == 1 ? stem : "\(stem)-\(number)"
            let files = ReportFiles(html: name + ".html", json: name + ".json")
            guard try ReportFiles.name(drafts.json, files.json) else { continue }
            do {
                if try ReportFiles.name(drafts.html, files.html) { return files }
            } catch {
                unlink(files.json)
                throw error
            }
            unlink(files.json)
        }
        throw ReportError(.file, "There are 9,999 reports called '\(stem)'. Choose another name: --report PREFIX.")
    }

    /// Writes a page alone, as `PREFIX.html`, or as `PREFIX-2.html` and so on when that is there already.
    ///
    /// - Parameter replacing: Whether a page that is there may be replaced.
    /// - Returns: The path that was written.
    /// - Throws: `ReportError` when it cannot be written.
    public static func writePage(of document: ReportDocument, prefix: String, replacing: Bool) throws(ReportError)
        -> String
    {
        let stem = ReportFiles.stem(prefix)
        let draft = ReportFiles.draft(stem, "html")
        defer { unlink(draft) }
        try ReportFiles.put(Array(HTMLReport.page(of: document).utf8), at: draft, for: stem + ".html")
        if replacing {
            try ReportFiles.move(draft, stem + ".html")
            return stem + ".html"
        }
        for number in 1...9_999 {
            let path = (number == 1 ? stem : "\(stem)-\(number)") + ".html"
            if try ReportFiles.name(draft, path) { return path }
        }
        throw ReportError(.file, "There are 9,999 pages called '\(stem)' already. Choose another name.")
    }

    /// Writes a newer state of the report that was written here, in place of it, each file at once.
    ///
    /// - Throws: `ReportError` when the files cannot be written; those that were there are whole then.
    public func replace(with report: some Report) throws(ReportError) {
        let bytes = try report.json()
        let page = HTMLReport.page(of: report.document)
        for (bytes, path) in [(bytes, self.json), (Array(page.utf8), self.html)] {
            let draft = ReportFiles.draft(path, "new")
            defer { unlink(draft) }
            try ReportFiles.put(bytes, at: draft, for: path)
            try ReportFiles.move(draft, path)
        }
    }

    /// Looks whether a report can be written: makes a file beside it and takes it away again.
    ///
    /// - Throws: `ReportError` when it cannot: it names the path and what to do.
    public static func check(prefix: String) throws(ReportError) {
        let stem = ReportFiles.stem(prefix)
        let draft = ReportFiles.draft(stem, "html")
        // The longest name that it may be given.
        try ReportFiles.put([], at: draft, for: stem + ".html")
        unlink(draft)
    }

    /// What is wrong with a prefix, as a sentence; nil when it names files.
    public static func problem(withPrefix prefix: String) -> String? {
        let advice = "Give a path without its ending, or none."
        guard !prefix.isEmpty else { return "It is empty. \(advice)" }
        guard !prefix.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }) else {
            return "'\(PlainText.visible(prefix))' has control characters in it. \(advice)"
        }
        let stem = ReportFiles.stem(prefix)
        let name = stem.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard !name.isEmpty, name != ".", name != "..", name != ".html", name != ".json" else {
            return "'\(prefix)' names no file. \(advice)"
        }
        var status = stat()
        let isThere = stat(stem, &status) == 0
        let kind = status.st_mode & S_IFMT
        if stem.hasPrefix("/dev/") || isThere && kind != S_IFREG && kind != S_IFDIR {
            return "'\(prefix)' is a device and no file. To write no report: --report none."
        }
        return nil
    }

    /// The prefix without the ending that was typed with it.
    private static func stem(_ prefix: String) -> String {
        for ending in [".html", ".json"] where prefix.hasSuffix(ending) && prefix.count > ending.count {
            return String(prefix.dropLast(ending.count))
        }
        return prefix
    }

    /// A name in the same directory that nobody else uses.
    private static func draft(_ stem: String, _ ending: String) -> String {
        "\(stem).\(getpid())-\(UInt32.random(in: .min ... .max)).\(ending).tmp"
    }

    /// Gives a file a name; false when the name is taken.
    private static func name(_ draft: String, _ path: String) throws(ReportError) -> Bool {
        if link(draft, path) == 0 { return true }
        if errno == EEXIST { return false }
        let linked = errno
        // Some file systems know no second name: there the name is taken first and then given over.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            if errno == EEXIST { return false }
            throw ReportFiles.failure("make", path, linked)
        }
        close(descriptor)
        do {
            try ReportFiles.copy(draft, over: path)
        } catch {
            unlink(path)
            throw error
        }
        return true
    }

    /// Puts a copy of the draft in place of a file that was made for it.
    private static func copy(_ draft: String, over path: String) throws(ReportError) {
        let second = draft + "2"
        defer { unlink(second) }
        let source = open(draft, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw ReportFiles.failure("read", draft, errno) }
        defer { close(source) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count == 0 { break }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ReportFiles.failure("read", draft, errno) }
            bytes += buffer[..<count]
        }
        try ReportFiles.put(bytes, at: second, for: path)
        try ReportFiles.move(second, path)
    }

    private static func move(_ draft: String, _ path: String) throws(ReportError) {
        guard rename(draft, path) == 0 else { throw ReportFiles.failure("replace", path, errno) }
    }

    /// Writes a new file through to the disk.
    private static func put(_ bytes: [UInt8], at draft: String, for path: String) throws(ReportError) {
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ReportFiles.failure("make", path, errno) }
        let failure = bytes.withUnsafeBytes { buffer -> Int32? in
            var written = 0
            while written < buffer.count {
                let count = systemWrite(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return count < 0 ? errno : EIO }
                written += count
            }
            return fsync(descriptor) == 0 ? nil : errno
        }
        // A file that cannot be closed was not written through either, which the sync would have told.
        close(descriptor)
        if let failure {
            unlink(draft)
            throw ReportFiles.failure("write", path, failure)
        }
    }

    private static func failure(_ verb: String, _ path: String, _ number: Int32) -> ReportError {
        let advice =
            switch number {
            case ENOENT, ENOTDIR: "Make its directory first, or choose another place"
            case EACCES, EPERM, EROFS: "Choose a place that may be written to"
            case ENOSPC, EDQUOT: "Make room, or choose another disk"
            case ENAMETOOLONG: "Choose a shorter name"
            default: "Choose another place"
            }
        return ReportError(
            .file,
            "Cannot \(verb) the report '\(PlainText.visible(path))': \(String(cString: strerror(number))). \(advice): --report PREFIX."
        )
    }
}

/// The system's `write`, which the methods of that name would hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
