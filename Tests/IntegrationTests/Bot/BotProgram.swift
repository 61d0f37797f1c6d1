import Foundation
import Logging
import OddsCore
import OddsStore
import OddsTrading
import PolymarketSimulator
import RealtimeOdds
import Synchronization
import Testing

@testable import oddstream

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The suites that start the program with its bot. Each has an exchange of its own that costs half a core: one after the
/// other.
@Suite(.serialized) struct BotProgramSuites {}

/// The service as a program of its own, trading often against a simulated exchange inside the test.
///
/// Both outlive restarts of the program: the exchange goes on, and the directory is deleted at the end.
final class BotProgram: Sendable {
    let exchange: PolymarketSimulator
    let directory: String
    private let arguments: [String]

    /// Windows short enough for many trades and payouts, each decided soon after its end.
    private static let series = ["btc-updown-4s", "eth-updown-3s", "sol-updown-5s"]
    /// What makes it buy in nearly every window.
    private static let trading = [
        "--threshold", "0.55", "--price-cap", "0.99", "--entry-before-end", "0", "--max-orders-per-minute", "10000",
        "--max-exposure", "1000000", "--max-daily-loss", "1000000", "--paper-cash", "100000", "--fill-delay", "20ms",
        "--spike-cooldown", "0",
    ]

    private init(_ exchange: PolymarketSimulator, _ endpoints: SimulatorEndpoints, directory: String) {
        self.exchange = exchange
        self.directory = directory
        self.arguments =
            ["run", "--http-port", "0", "--log-level", "info", "--lines", "1", "--data", directory]
            + ["--series", Self.series.joined(separator: ","), "--market-ws", endpoints.marketWebSocket]
            + ["--clob-rest", endpoints.clobREST, "--gamma-rest", endpoints.gammaREST]
            + ["--rtds-ws", endpoints.rtdsWebSocket] + Self.trading
    }

    /// An exchange, and an empty directory, while `body` runs.
    static func run(_ body: (BotProgram) async throws -> Void) async throws {
        var configuration = SimulatorConfiguration()
        configuration.series = try Self.series.map { try MarketSeries($0) }
        configuration.settlement = .spot
        configuration.resolutionDelay = .milliseconds(300)
        configuration.flow.spikes = 30
        // Of windows this short a minute and a half would be thirty at once, and a day 20,000.
        configuration.activeAhead = .seconds(6)
        configuration.listedAhead = .seconds(60)
        let exchange = PolymarketSimulator(
            configuration: configuration, clock: SystemClock(),
            logger: Logger(label: "test.exchange") { _ in SwiftLogNoOpLogHandler() })
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("oddstream-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let program = BotProgram(exchange, try await exchange.start(), directory: directory)
        let outcome: Result<Void, any Error>
        do {
            try await body(program)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await exchange.stop()
        try outcome.get()
    }

    /// Starts the service on the directory; what comes later among the arguments decides.
    func start(_ more: [String] = [], environment: [String: String] = [:]) throws -> BotRun {
        BotRun(try ProgramRun(self.arguments + more, environment: environment))
    }

    /// What is on record, read from outside.
    func record() throws -> [JournalEntry] {
        try TradeRecorder.entries(
            TradingJournal.entries(in: self.directory), path: "\(self.directory)/\(TradingJournal.fileName)")
    }
}

/// One run of the service, followed by its log.
final class BotRun: Sendable {
    /// Somebody who waits for lines. Each new line is looked at once: a busy program writes thousands.
    private struct Watcher {
        let words: String
        var missing: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var lines: [String] = []
        var watchers: [Watcher] = []
        var isEnded = false
    }

    let program: ProgramRun
    private let state: Mutex<State>

    init(_ program: ProgramRun) {
        self.program = program
        self.state = Mutex(State())
        Task { [weak self] in
            for await line in program.errorLines { self?.take(line) }
            self?.end()
        }
    }

    /// The log so far, line by line.
    var log: [String] { self.state.withLock { $0.lines } }

    private func take(_ line: String) {
        let woken = self.state.withLock { state in
            state.lines.append(line)
            for index in state.watchers.indices where line.contains(state.watchers[index].words) {
                state.watchers[index].missing -= 1
            }
            let woken = state.watchers.filter { $0.missing == 0 }
            state.watchers.removeAll { $0.missing == 0 }
            return woken
        }
        for watcher in woken { watcher.continuation.resume(returning: true) }
    }

    /// No more lines come, or nobody waits for them any longer.
    private func end() {
        let woken = self.state.withLock { state in
            defer { state.watchers = [] }
            state.isEnded = true
            return state.watchers
        }
        for watcher in woken { watcher.continuation.resume(returning: false) }
    }

    /// Returns when the log has so many lines with these words.
    ///
    /// - Throws: when the program ends before, or the test is over.
    func wait(for words: String, count: Int = 1) async throws {
        let came = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let answer = self.state.withLock { state -> Bool? in
                    let missing = count - state.lines.count { $0.contains(words) }
                    if missing <= 0 { return true }
                    if state.isEnded { return false }
                    state.watchers.append(Watcher(words: words, missing: missing, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            self.end()
        }
        guard came else {
            throw TradeAudit.Fault("'\(words)' never came: \(self.log.suffix(5).joined(separator: "\n"))")
        }
    }

    /// Ends it as an operator would, and returns its status.
    func stop() async -> Int32? {
        self.program.send(SIGTERM)
        return await self.program.wait()
    }

    // MARK: The API

    /// The API's address.
    private func base() async throws -> String {
        try await self.wait(for: "http.url=")
        for line in self.log {
            if let match = line.firstMatch(of: /http\.url=(http:\/\/127\.0\.0\.1:\d+)\//) { return String(match.1) }
        }
        throw TradeAudit.Fault("the log names no address of the API")
    }

    /// What the API says: the status, and the body.
    func get(_ path: String) async throws -> (status: Int, body: Data) {
        guard let url = URL(string: try await self.base() + path) else { throw URLError(.badURL) }
        return try await self.ask(URLRequest(url: url))
    }

    /// The same of a body sent with `PUT`.
    func put(_ path: String, _ body: String) async throws -> (status: Int, body: Data) {
        guard let url = URL(string: try await self.base() + path) else { throw URLError(.badURL) }
        var request = URLRequest(url: url)
        request.httpMethod = "PUT"
        request.httpBody = Data(body.utf8)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        return try await self.ask(request)
    }

    private func ask(_ request: URLRequest) async throws -> (status: Int, body: Data) {
        let session = URLSession(configuration: .ephemeral)
        defer { session.invalidateAndCancel() }
        let (body, response) = try await session.data(for: request)
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, body)
    }

    /// The items of a list of the API.
    func items<Item: Decodable>(_ path: String, _ type: Item.Type) async throws -> [Item] {
        try JSONDecoder().decode(List<Item>.self, from: try await self.get(path).body).items
    }

    private struct List<Item: Decodable>: Decodable { let items: [Item] }
}
