import NIOCore
import NIOSSL
import Testing

@testable import RealtimeOdds

/// Faults are told in words that a person can act on, without the names of types and source files.
struct NetworkFaultTests {
    @Test func theSystemsFaultsAreItsWords() {
        #expect(NetworkFault.reason(IOError(errnoCode: 111, reason: "connect")).contains("refused"))
        #expect(!NetworkFault.reason(IOError(errnoCode: 111, reason: "connect")).contains("errno"))
    }

    @Test func certificatesAreNamed() {
        #expect(NetworkFault.reason(NIOSSLExtraError.failedToValidateHostname) == NetworkFault.otherHost)
        #expect(NetworkFault.reason(NIOSSLError.unableToValidateCertificate) == NetworkFault.untrustedCertificate)
    }

    @Test func otherFaultsOfTLSLoseTheirSourceFiles() {
        #expect(NetworkFault.reason(NIOSSLError.handshakeFailed(.wantRead)) == "TLS failed")
        let told = NetworkFault.tlsReason(
            "sslError([Error: 268435703 error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at /a/b.cc:127])"
        )
        #expect(told == NetworkFault.noTLS)
        let other = NetworkFault.tlsReason(
            "sslError([Error: 1 error:10000410:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE at /a/b.cc:5])"
        )
        #expect(other == "TLS failed (SSLV3_ALERT_HANDSHAKE_FAILURE)")
    }
}
