import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What holds for every path: reading only but for the kill switch, errors as problems, answers never cached and never sniffed.
struct PolicyMiddleware<Context: RequestContext>: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await self.answer(request, context: context, next: next)
        response.headers[.cacheControl] = "no-store"
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }

    private static func allowMethod(of request: Request) throws(Problem) {
        switch request.method {
        case .get, .head: return
        case .put, .post:
            if request.uri.path == KillSwitchGuard.path { return }
        default: break
        }
        guard request.uri.path == KillSwitchGuard.path else {
            throw .methodNotAllowed("This API is for reading: use GET or HEAD.", allowed: ["GET", "HEAD"])
        }
        throw .methodNotAllowed(
            "The kill switch is read with GET and turned with PUT.", allowed: ["GET", "HEAD", "PUT", "POST"])
    }

    @concurrent
    private func answer(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            try Self.allowMethod(of: request)
            return try await next(request, context)
        } catch let problem as Problem {
            return try problem.response()
        } catch let error as HTTPError where error.status == .notFound {
            let problem = Problem.notFound("There is nothing at \(request.uri.path). / lists what there is.")
            return try problem.response()
        } catch is NIOTooManyBytesError {
            let problem = Problem.tooLarge("The body is too large: it takes \(KillSwitchGuard.largestBody) bytes.")
            return try problem.response()
        } catch let error as HTTPError where error.status.code < 500 {
            let problem = Problem.badRequest(error.body ?? "The request cannot be read.")
            return try problem.response()
        } catch {
            context.logger.error("Request failed", metadata: ["http.path": "\(request.uri.path)", "error": "\(error)"])
            let problem = Problem.internalError("The answer could not be made; the program's log says why.")
            return try problem.response()
        }
    }
}

extension Request {
    /// The value of a query parameter; nil when it was not given.
    func query(_ name: String) -> String? { self.uri.queryParameters[Substring(name)].map(String.init) }

    /// Refuses query parameters that the path does not know: a misspelt filter would answer everything.
    func allow(_ names: String...) throws(Problem) {
        for (name, _) in self.uri.queryParameters where !names.contains(String(name)) {
            let allowed = names.isEmpty ? "none" : names.joined(separator: ", ")
            throw .badRequest("There is no parameter '\(name)' here. Allowed: \(allowed).")
        }
    }
}
