import OddsCore
import RealtimeOdds
import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `--trace`: one CSV row per applied entry of a message, for whoever wants to check our books against the exchange's.
///
/// Rows are formed on the feed's event loop and written elsewhere. When the disk cannot follow, rows are left out past
/// 64 MiB of waiting bytes and counted: the feed does not wait.
final class TraceFile: AppliedMessageObserver, Service {
    static let header = "n,asset_id,event_type,exchange_time_ms,receive_ns,publish_ns,best_bid,best_ask\n"
    private static let limit = 64 * 1024 * 1024

    private let path: String
    private let descriptor: Int32
    private let sink: ByteSink
    private let lost = Atomic<UInt64>(0)

    /// Creates or empties the file and writes the header.
    ///
    /// - Throws: `ProgramFailure` when the file cannot be written.
    init(path: String) throws(ProgramFailure) {
        self.path = path
        self.descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard self.descriptor >= 0 else {
            throw ProgramFailure(
                status: .configuration,
                message:
                    "The trace file \(path) cannot be written (\(systemMessage(errno))). Choose another with --trace FILE."
            )
        }
        self.sink = ByteSink(descriptor: self.descriptor, label: "trace")
        self.sink.append(TraceFile.header)
    }

    func applied(_ message: AppliedMessage) {
        let isTaken = self.sink.append(.batched, limit: TraceFile.limit) { TraceFile.write(message, to: &$0) }
        if !isTaken { self.lost.add(1, ordering: .relaxed) }
    }

    /// Returns when a row cannot be written, or when the program ends: a trace with holes is not worth waiting for.
    func run() async {
        await cancelWhenGracefulShutdown { await self.sink.waitForFailure() }
    }

    /// Writes what is left and closes the file.
    ///
    /// - Throws: `ProgramFailure` when rows are missing from the file, with the reason.
    func finish() async throws(ProgramFailure) {
        let isWritten = await self.sink.flush(within: .seconds(1))
        let failure = self.sink.failure
        let closing = close(self.descriptor) == 0 ? nil : errno
        let lost = self.lost.load(ordering: .relaxed)
        if let number = failure ?? closing {
            throw ProgramFailure(
                status: .internalError,
                message:
                    "The trace file \(self.path) is incomplete: \(systemMessage(number)). Free some space or choose another disk."
            )
        }
        guard isWritten, lost == 0 else {
            let rows = lost == 0 ? "the last rows" : "\(lost) rows"
            throw ProgramFailure(
                status: .internalError,
                message:
                    "The trace file \(self.path) is incomplete: the disk was too slow for \(rows). Choose a faster one."
            )
        }
    }

    static func write(_ message: AppliedMessage, to row: inout [UInt8]) {
        TraceFile.append(Int64(message.number), to: &row)
        row.append(UInt8(ascii: ","))
        row.append(contentsOf: message.asset.rawValue.utf8)
        row.append(UInt8(ascii: ","))
        row.append(contentsOf: message.eventType.utf8)
        for number in [
            message.exchangeTime.milliseconds, message.receiveTime.nanoseconds, message.publishTime.nanoseconds,
        ] {
            row.append(UInt8(ascii: ","))
            TraceFile.append(number, to: &row)
        }
        for price in [message.bestBid, message.bestAsk] {
            row.append(UInt8(ascii: ","))
            if let price { row.append(contentsOf: price.description.utf8) }
        }
        row.append(UInt8(ascii: "\n"))
    }

    private static func append(_ number: Int64, to row: inout [UInt8]) {
        guard number >= 0 else {
            row.append(contentsOf: String(number).utf8)
            return
        }
        let start = row.count
        var rest = number
        repeat {
            row.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        row[start...].reverse()
    }
}
