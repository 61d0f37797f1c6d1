import NIOCore

/// Why the API cannot be served.
public struct OddsServerError: Error, Sendable, CustomStringConvertible {
    /// The kinds of trouble.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// A stable name.
        public let description: String
        /// Another program listens on the port.
        public static let portInUse = Code(description: "port in use")
        /// The system refuses the port to this user.
        public static let notPermitted = Code(description: "not permitted")
        /// The host is none of this machine's addresses.
        public static let noSuchAddress = Code(description: "no such address")
        /// Anything else the system said.
        public static let bindFailed = Code(description: "cannot listen")
    }

    /// The kind of trouble.
    public let code: Code
    /// What is wrong and what to do.
    public let message: String
    /// What the system said.
    public let cause: (any Error)?

    /// The kind and the message.
    public var description: String { self.message }

    /// What an error from binding `host:port` means to the person who chose them.
    static func binding(host: String, port: Int, _ error: any Error) -> OddsServerError {
        let place = "\(host):\(port)"
        if error is SocketAddressError.UnknownHost {
            return OddsServerError(
                code: .noSuchAddress,
                message: "The HTTP API cannot listen on \(place): \(host) is no address and no known name. "
                    + "Choose another with --http-host, such as 127.0.0.1.", cause: error)
        }
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            return OddsServerError(
                code: .portInUse,
                message: "The HTTP API cannot listen on \(place): another program does already. "
                    + "Choose a free port with --http-port N (0 takes any).", cause: error)
        case EACCES, EPERM:
            return OddsServerError(
                code: .notPermitted,
                message: "The HTTP API may not listen on \(place): ports below 1024 need privileges. "
                    + "Choose a port from 1024 on with --http-port N.", cause: error)
        case EADDRNOTAVAIL:
            return OddsServerError(
                code: .noSuchAddress,
                message: "The HTTP API cannot listen on \(place): the address is none of this machine's. "
                    + "Choose another with --http-host, such as 127.0.0.1.", cause: error)
        default:
            return OddsServerError(
                code: .bindFailed,
                message: "The HTTP API cannot listen on \(place): \(error). "
                    + "Check --http-host and --http-port.", cause: error)
        }
    }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
