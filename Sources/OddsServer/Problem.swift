import HTTPTypes
import Hummingbird

/// An error as clients get it: `application/problem+json`, RFC 9457.
struct Problem: Error, Encodable {
    let type = "about:blank"
    let title: String
    let status: Int
    let detail: String

    static func badRequest(_ detail: String) -> Problem { Problem(.badRequest, detail) }
    static func notFound(_ detail: String) -> Problem { Problem(.notFound, detail) }
    static func methodNotAllowed(_ detail: String) -> Problem { Problem(.methodNotAllowed, detail) }
    static func internalError(_ detail: String) -> Problem { Problem(.internalServerError, detail) }

    private init(_ status: HTTPResponse.Status, _ detail: String) {
        self.title = status.reasonPhrase
        self.status = status.code
        self.detail = detail
    }

    /// The problem as an answer.
    func response() throws -> Response {
        var response = try Response.json(
            self, status: HTTPResponse.Status(code: self.status), type: "application/problem+json")
        if self.status == HTTPResponse.Status.methodNotAllowed.code { response.headers[.allow] = "GET, HEAD" }
        return response
    }
}
