import HTTPTypes
import Hummingbird

/// An error as clients get it: `application/problem+json`, RFC 9457.
struct Problem: Error, Encodable {
    let type = "about:blank"
    let title: String
    let status: Int
    let detail: String
    /// The methods that the path does take, when another one was tried.
    private let methods: [String]

    private enum CodingKeys: CodingKey {
        case type, title, status, detail
    }

    static func badRequest(_ detail: String) -> Problem { Problem(.badRequest, detail) }
    static func notFound(_ detail: String) -> Problem { Problem(.notFound, detail) }
    static func forbidden(_ detail: String) -> Problem { Problem(.forbidden, detail) }
    static func conflict(_ detail: String) -> Problem { Problem(.conflict, detail) }
    static func tooLarge(_ detail: String) -> Problem { Problem(.contentTooLarge, detail) }
    static func unsupportedType(_ detail: String) -> Problem { Problem(.unsupportedMediaType, detail) }
    static func notImplemented(_ detail: String) -> Problem { Problem(.notImplemented, detail) }
    static func unavailable(_ detail: String) -> Problem { Problem(.serviceUnavailable, detail) }
    static func methodNotAllowed(_ detail: String, allowed: [String]) -> Problem {
        Problem(.methodNotAllowed, detail, methods: allowed)
    }
    static func internalError(_ detail: String) -> Problem { Problem(.internalServerError, detail) }

    private init(_ status: HTTPResponse.Status, _ detail: String, methods: [String] = []) {
        self.title = status.reasonPhrase
        self.status = status.code
        self.detail = detail
        self.methods = methods
    }

    /// The problem as an answer.
    func response() throws -> Response {
        var response = try Response.json(
            self, status: HTTPResponse.Status(code: self.status), type: "application/problem+json")
        if !self.methods.isEmpty { response.headers[.allow] = self.methods.joined(separator: ", ") }
        return response
    }
}
