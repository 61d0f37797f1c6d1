import Foundation
import OddsCore
import OddsTestSupport
import Testing

@testable import RealtimeOdds

/// The whole way: socket, HTTP, JSON, market.
@Suite(.timeLimit(.minutes(5))) struct HTTPClientTransportTests {
    private let slug = "btc-updown-15m-1777428000"

    /// Asks a server of the test's making for the market, and gives what came of it.
    private func ask(
        timeout: Duration = .seconds(20), _ answer: RawHTTPServer.Answer
    ) async throws -> Result<MarketFinding, RESTError> {
        var result = Result<MarketFinding, RESTError>.failure(RESTError(.cancelled, "not asked"))
        try await RawHTTPServer.run(answer: { _ in answer }) { server in
            let transport = try HTTPClientTransport(certificateAuthorityFile: nil, maximumBodySize: 20_000)
            let client = GammaClient(
                base: "http://127.0.0.1:\(server.port)", transport: transport, timeout: timeout)
            do throws(RESTError) {
                result = .success(try await client.market(slug: self.slug))
            } catch {
                result = .failure(error)
            }
            await transport.shutdown()
        }
        return result
    }

    private func failure(
        timeout: Duration = .seconds(20), _ answer: RawHTTPServer.Answer
    ) async throws -> RESTError {
        switch try await self.ask(timeout: timeout, answer) {
        case .success(let finding):
            Issue.record("found \(finding.market.slug)")
            return RESTError(.cancelled, "unexpected")
        case .failure(let error): return error
        }
    }

    @Test func aMarketComesOverARealConnection() async throws {
        let slug = self.slug
        try await RawHTTPServer.run(answer: { _ in .send(RawHTTPServer.json(gammaMarket(slug))) }) { server in
            let transport = try HTTPClientTransport(certificateAuthorityFile: nil)
            let client = GammaClient(base: "http://127.0.0.1:\(server.port)/", transport: transport)
            for _ in 0..<3 { #expect(try await client.market(slug: slug).market.yes.label == "Up") }
            let head = try #require(server.requests.entries.first)
            #expect(server.requests.entries.count == 3)
            #expect(head.hasPrefix("GET /markets/slug/btc-updown-15m-1777428000 HTTP/1.1"))
            #expect(head.lowercased().contains("accept: application/json"))
            await transport.shutdown()
            await transport.shutdown()
        }
    }

    @Test func tooManyRequestsCarryTheWait() async throws {
        let answer = RawHTTPServer.json("{}", status: "429 Too Many Requests", headers: "Retry-After: 9\r\n")
        let error = try await self.failure(.send(answer))
        #expect(error.code == .rateLimited)
        #expect(error.retryAfter == .seconds(9))
    }

    @Test func failuresOfTheServerAreSaid() async throws {
        #expect(
            try await self.failure(.send(RawHTTPServer.json("x", status: "502 Bad Gateway"))).code == .serverFailure)
        #expect(try await self.failure(.send(RawHTTPServer.json("{}", status: "404 Not Found"))).code == .notFound)
        #expect(try await self.failure(.send(RawHTTPServer.json("{}", status: "403 Forbidden"))).code == .refused)
    }

    @Test func aTruncatedBodyIsAFailure() async throws {
        let whole = RawHTTPServer.json(gammaMarket(self.slug))
        let cut = try await self.failure(.sendAndClose(String(whole.dropLast(40))))
        #expect(cut.code == .unreachable)
        let body = String(gammaMarket(self.slug).dropLast(40))
        #expect(try await self.failure(.send(RawHTTPServer.json(body))).code == .malformed)
    }

    @Test func aPageInsteadOfJSONIsQuoted() async throws {
        let page = "<!DOCTYPE html>\n<title>Just a moment</title>"
        let error = try await self.failure(
            .send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: \(page.utf8.count)\r\n\r\n\(page)"))
        #expect(error.code == .malformed)
        #expect(error.message.contains("text/html"))
        #expect(error.message.contains("<!DOCTYPE html> <title>"))
    }

    @Test func aBodyBeyondTheLimitIsRefusedDeclaredOrNot() async throws {
        let huge = String(repeating: " ", count: 30_000)
        #expect(try await self.failure(.send(RawHTTPServer.json(huge))).code == .tooLarge)
        let chunk = "7530\r\n\(huge)\r\n"
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(try await self.failure(.sendAndStall(head + chunk)).code == .tooLarge)
    }

    @Test func silenceEndsWithTheTimeout() async throws {
        let mute = try await self.failure(timeout: .milliseconds(200), .sendAndStall(""))
        #expect(mute.code == .timeout)
        #expect(mute.lookUpFailure.reason == .unreachable)
        let half = String(RawHTTPServer.json(gammaMarket(self.slug)).dropLast(40))
        #expect(try await self.failure(timeout: .milliseconds(200), .sendAndStall(half)).code == .timeout)
    }

    @Test func whatIsNoHTTPIsUnreachable() async throws {
        #expect(try await self.failure(.sendAndClose("SSH-2.0-OpenSSH_9.2\r\n\r\n")).code == .unreachable)
        #expect(try await self.failure(.sendAndClose("")).code == .unreachable)
    }

    @Test func anAddressThatIsNoneIsSaid() async throws {
        let transport = try HTTPClientTransport(certificateAuthorityFile: nil)
        for base in ["", "gamma", "ftp://gamma", "http:///"] {
            let error = await #expect(throws: RESTError.self) {
                try await GammaClient(base: base, transport: transport).market(slug: "x")
            }
            #expect(error?.code == .badAddress, "\(base): \(error.map { "\($0)" } ?? "")")
        }
        await transport.shutdown()
    }

    @Test func cancellationEndsARequest() async throws {
        try await RawHTTPServer.run(answer: { _ in .sendAndStall("") }) { server in
            let transport = try HTTPClientTransport(certificateAuthorityFile: nil)
            let url = "http://127.0.0.1:\(server.port)/"
            let request = Task { try await transport.get(url, timeout: .seconds(3600)) }
            try await server.requests.wait(forCount: 1)
            request.cancel()
            let error = await #expect(throws: RESTError.self) { try await request.value }
            #expect(error?.code == .cancelled)
            await transport.shutdown()
        }
    }

    @Test func aPrivateAuthorityIsTrustedWhenItIsNamed() async throws {
        let file = try TLSFixture.File(TLSFixture.authority)
        defer { withExtendedLifetime(file) {} }
        let slug = self.slug
        let answer: @Sendable (String) -> RawHTTPServer.Answer = { _ in .send(RawHTTPServer.json(gammaMarket(slug))) }
        try await RawHTTPServer.run(certificate: TLSFixture.localhost, answer: answer) { server in
            let base = "https://localhost:\(server.port)"
            let trusting = try HTTPClientTransport(certificateAuthorityFile: file.path)
            #expect(try await GammaClient(base: base, transport: trusting).market(slug: slug).market.slug == slug)
            await trusting.shutdown()
            let wary = try HTTPClientTransport(certificateAuthorityFile: nil)
            let error = await #expect(throws: RESTError.self) {
                try await GammaClient(base: base, transport: wary).market(slug: slug)
            }
            #expect(error?.code == .unreachable || error?.code == .timeout)
            #expect(error?.message.contains("certificate") == true || error?.code == .timeout)
            await wary.shutdown()
        }
        try await RawHTTPServer.run(certificate: TLSFixture.elsewhere, answer: answer) { server in
            let trusting = try HTTPClientTransport(certificateAuthorityFile: file.path)
            await #expect(throws: RESTError.self) {
                try await GammaClient(base: "https://localhost:\(server.port)", transport: trusting).market(slug: slug)
            }
            await trusting.shutdown()
        }
    }

    @Test func aCertificateFileThatCannotBeReadIsNamed() {
        let error = #expect(throws: RESTError.self) {
            try HTTPClientTransport(certificateAuthorityFile: "/nowhere/authority.pem")
        }
        #expect(error?.code == .certificateFile)
        #expect(error?.message.contains("/nowhere/authority.pem") == true)
    }
}
