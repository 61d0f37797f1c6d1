import NIOCore
import NIOSSL

/// How encrypted connections are checked: TLS 1.2 or newer, the certificate's chain and the host's name, always.
/// Loading the authorities is slow, so one value serves every connection.
package struct TransportSecurity: Sendable {
    let context: NIOSSLContext

    /// Trusts the system's certificate authorities, or those of a PEM file instead.
    /// - Throws: `invalidCertificateFile`.
    package init(certificateAuthorityFile: String? = nil) throws(TransportError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        configuration.shutdownTimeout = .seconds(1)
        do {
            if let file = certificateAuthorityFile {
                let authorities = try NIOSSLCertificate.fromPEMFile(file)
                configuration.trustRoots = .certificates(authorities)
            }
            self.context = try NIOSSLContext(configuration: configuration)
        } catch {
            let message =
                certificateAuthorityFile.map {
                    "No certificate authority could be read from \($0): name a readable file in PEM form."
                } ?? "The system's certificate authorities could not be loaded: install the package ca-certificates."
            throw TransportError(.invalidCertificateFile, message, cause: error)
        }
    }

    /// A new handler for one connection.
    func makeHandler(for endpoint: WebSocketEndpoint) throws -> NIOSSLClientHandler {
        // Without a name the certificate is checked against the address of the socket.
        try NIOSSLClientHandler(context: self.context, serverHostname: endpoint.isHostAddress ? nil : endpoint.host)
    }
}
