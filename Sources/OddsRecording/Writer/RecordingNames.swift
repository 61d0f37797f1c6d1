#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How files and runs of a recording are called.
enum RecordingNames {
    /// `20261122T235900Z` of a time in nanoseconds since 1970.
    static func stamp(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let text = Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
        return text.filter { $0 != "-" && $0 != ":" }
    }

    /// A file's name, so that names sort as files were written.
    static func file(_ nanoseconds: Int64, number: Int) -> String {
        let digits = String(number)
        return Self.stamp(nanoseconds) + "-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
            + ".ndjson.gz"
    }

    /// Whether it is the name of a file of a recording's.
    static func isFile(_ name: String) -> Bool {
        guard name.hasSuffix(".ndjson.gz"), let dash = name.firstIndex(of: "-") else { return false }
        let number = name[name.index(after: dash)...].dropLast(".ndjson.gz".count)
        return name[..<dash].count == 16 && name[..<dash].hasSuffix("Z") && !number.isEmpty
            && number.allSatisfy { $0.isASCII && $0.isNumber }
    }

    /// A name for a run that no other has.
    static func run(_ nanoseconds: Int64) -> String {
        var digits = String(UInt32.random(in: .min ... .max), radix: 16)
        while digits.count < 8 { digits = "0" + digits }
        return Self.stamp(nanoseconds) + "-" + digits
    }

    /// Hexadecimal digits.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
