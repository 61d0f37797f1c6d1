internal import OddsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What this process holds at a moment. What the system does not tell is nil.
package struct ProcessGauge: Sendable {
    /// Resident memory, in bytes.
    package var resident: Int?
    /// Open files and sockets.
    package var descriptors: Int?
    /// Threads.
    package var threads: Int?
    /// The processor time used since the start, by all threads.
    package var processor: Duration?

    package init(
        resident: Int? = nil, descriptors: Int? = nil, threads: Int? = nil, processor: Duration? = nil
    ) {
        self.resident = resident
        self.descriptors = descriptors
        self.threads = threads
        self.processor = processor
    }

    /// Reads it now.
    package static func read() -> ProcessGauge {
        // Numbers of pages: the whole, the resident part and others.
        let pages = Self.text(ofFile: "/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return ProcessGauge(
            resident: pages.map { $0 * sysconf(Int32(_SC_PAGESIZE)) },
            // Less the one that lists them.
            descriptors: (Self.entries(ofFolder: "/proc/self/fd") ?? Self.entries(ofFolder: "/dev/fd")).map { $0 - 1 },
            threads: Self.entries(ofFolder: "/proc/self/task"), processor: Self.processorTime())
    }

    /// How long the machine has been up, the time it slept included; nil where the system does not tell.
    package static func timeSinceBoot() -> Duration? {
        #if os(Linux)
        var time = timespec()
        guard clock_gettime(CLOCK_BOOTTIME, &time) == 0 else { return nil }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        #else
        return nil
        #endif
    }

    private static func processorTime() -> Duration? {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// How many entries a folder has, itself and its parent left out; nil when it is not there.
    private static func entries(ofFolder path: String) -> Int? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var count = -2
        while readdir(folder) != nil { count += 1 }
        return count
    }

    /// The beginning of a short file; nil when it cannot be read.
    private static func text(ofFile path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
