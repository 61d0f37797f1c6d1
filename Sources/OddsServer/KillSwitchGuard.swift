import HTTPTypes
import Hummingbird

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Who may turn the kill switch: a program on this machine, and no web page in a browser on it.
///
/// A page of another site can make a browser send requests here, but it can neither hide its `Origin`, nor send
/// `application/json` without asking first (which is never granted), nor, when it lets its own name point here, keep that name
/// out of `Host`.
enum KillSwitchGuard {
    static let path = "/v1/kill-switch"
    /// In bytes.
    static let largestBody = 256

    static func check(_ request: Request, isLocal: Bool) throws(Problem) {
        try Self.check(
            host: request.head.authority, origins: request.headers[values: .origin],
            site: HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] },
            type: request.headers[.contentType], isLocal: isLocal)
    }

    static func check(
        host: String?, origins: [String], site: String?, type: String?, isLocal: Bool
    ) throws(Problem) {
        guard isLocal else {
            throw .forbidden("The kill switch can be turned from this machine only. Elsewhere use the kill file.")
        }
        guard let host, Self.isOwnName(host) else {
            throw .forbidden(
                "The Host of this request is '\(host ?? "")'. Turn the kill switch at 127.0.0.1, localhost or [::1].")
        }
        guard origins.allSatisfy({ $0 == "http://\(host)" }), site ?? "none" == "none" || site == "same-origin" else {
            throw .forbidden("A web page of another origin may not turn the kill switch.")
        }
        let media = type?.split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() }
        guard media == "application/json" else {
            throw .unsupportedType("The kill switch takes JSON: send Content-Type: application/json.")
        }
    }

    /// Whether a Host names this machine, with any port.
    static func isOwnName(_ host: String) -> Bool {
        var name = host.lowercased()
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") {
            let port = name[name.index(after: colon)...]
            guard !port.isEmpty, port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                return false
            }
            name = String(name[..<colon])
        }
        return ["127.0.0.1", "localhost", "[::1]"].contains(name)
    }

    /// What the body asks for: `{"on":true}` or `{"on":false}`, and nothing else.
    static func wish(in body: [UInt8]) throws(Problem) -> Bool {
        guard let keys = try? JSONDecoder().decode([String: Bool].self, from: Data(body)), keys.count == 1,
            let isOn = keys["on"]
        else { throw .badRequest(#"The body cannot be read. Allowed: {"on":true}, {"on":false}."#) }
        return isOn
    }
}
