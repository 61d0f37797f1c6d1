import OddsCore
import OddsTestSupport
import Synchronization

@testable import RealtimeOdds

/// A server of a test's own making: answers by URL, says what was asked, and can leave a question open.
final class ScriptedTransport: RESTTransport {
    enum Answer: Sendable {
        case response(RESTResponse)
        case error(RESTError)
        /// No answer until the task is cancelled.
        case never
    }

    /// The paths asked for, in order.
    let asked = Journal<String>()
    private let base: String
    private let script: Mutex<@Sendable (String) -> Answer>
    private let open = Mutex(0)

    /// A server that answers every path by `script`.
    init(base: String = "http://gamma", script: @escaping @Sendable (String) -> Answer = { _ in .missing }) {
        self.base = base
        self.script = Mutex(script)
    }

    /// Questions that are out.
    var openRequests: Int { self.open.withLock { $0 } }

    func answer(_ script: @escaping @Sendable (String) -> Answer) { self.script.withLock { $0 = script } }

    func get(_ url: String, timeout: Duration) async throws(RESTError) -> RESTResponse {
        let path = String(url.dropFirst(self.base.count))
        self.open.withLock { $0 += 1 }
        defer { self.open.withLock { $0 -= 1 } }
        let answer = self.script.withLock { $0 }(path)
        self.asked.append(path)
        switch answer {
        case .response(let response): return response
        case .error(let error): throw error
        case .never:
            let forever = AsyncStream<Never> { _ in }
            for await _ in forever {}
            throw RESTError(.cancelled, "cancelled")
        }
    }
}

extension ScriptedTransport.Answer {
    static let missing = Self.response(RESTResponse(status: 404, body: Array(#"{"error":"not found"}"#.utf8)))

    static func json(_ text: String, status: Int = 200) -> Self {
        .response(RESTResponse(status: status, contentType: "application/json", body: Array(text.utf8)))
    }
}

/// Gamma's description of a market, with its usual types; members can be replaced or taken out.
func gammaMarket(_ slug: String, _ changes: [String: String?] = [:]) -> String {
    var members: [String: String] = [
        "id": #""512""#, "conditionId": "\"0x-\(slug)\"", "slug": "\"\(slug)\"", "question": #""Up or down?""#,
        "outcomes": #""[\"Up\", \"Down\"]""#, "clobTokenIds": #""[\"111\", \"222\"]""#,
        "outcomePrices": #""[\"0.505\", \"0.495\"]""#, "active": "true", "closed": "false",
        "acceptingOrders": "true", "enableOrderBook": "true", "negRisk": "false", "orderMinSize": "5",
        "orderPriceMinTickSize": "0.01", "startDate": #""2026-04-28T02:05:11.123Z""#,
    ]
    for (name, value) in changes { members[name] = value }
    return "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
}
