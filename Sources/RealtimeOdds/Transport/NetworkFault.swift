import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the faults of the layers below mean to people, in words without their types, numbers and source files.
package enum NetworkFault {
    /// The certificate is from an authority that is not trusted.
    static let untrustedCertificate =
        "the certificate is not signed by an authority we trust: for a private authority name its PEM file"
    /// The certificate is for another host.
    static let otherHost = "the certificate of the server is for another name: check the address"
    /// The other side does not speak TLS.
    static let noTLS = "the server does not speak TLS on this port: check scheme and port"

    /// Why a connection could not be made or did not last, without a full stop.
    package static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            guard !error.connectionErrors.isEmpty else { return "the name \(error.host) has no address" }
            var reasons: [String] = []
            for reason in error.connectionErrors.map({ NetworkFault.reason($0.error) })
            where !reasons.contains(reason) {
                reasons.append(reason)
            }
            return reasons.joined(separator: "; ")
        case let error as SocketAddressError.UnknownHost: return "the name \(error.host) is not known"
        case ChannelError.connectTimeout: return "no answer in time"
        case let error as HTTPClientError where error == .connectTimeout: return "no answer in time"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            return "the server closed the connection"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname: return NetworkFault.otherHost
        case NIOSSLError.unableToValidateCertificate, NIOSSLError.noCertificateToValidate:
            return NetworkFault.untrustedCertificate
        case let error as NIOSSLError: return NetworkFault.tlsReason("\(error)")
        case let error as BoringSSLError: return NetworkFault.tlsReason("\(error)")
        default: return "\(error)"
        }
    }

    static func tlsReason(_ text: String) -> String {
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return NetworkFault.untrustedCertificate }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") { return NetworkFault.noTLS }
        // The library's own name of the fault, such as SSLV3_ALERT_HANDSHAKE_FAILURE, says enough to look it up.
        let name = text.split(whereSeparator: { $0 == ":" || $0 == " " })
            .last { $0.contains("_") && $0.allSatisfy { $0.isUppercase || $0.isNumber || $0 == "_" } }
        return "TLS failed" + (name.map { " (\($0))" } ?? "")
    }
}
