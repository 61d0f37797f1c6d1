import HTTPTypes
import Hummingbird
import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension Response {
    /// A JSON answer with sorted keys, so that equal values are equal bytes.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, type: String = "application/json"
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var body = ByteBuffer(bytes: try encoder.encode(value))
        body.writeStaticString("\n")
        return Response(
            status: status,
            headers: [.contentType: type, .contentLength: String(body.readableBytes)],
            body: ResponseBody(byteBuffer: body))
    }

    /// A plain text answer.
    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        let body = ByteBuffer(string: text)
        return Response(
            status: .ok,
            headers: [.contentType: type, .contentLength: String(body.readableBytes)],
            body: ResponseBody(byteBuffer: body))
    }
}
