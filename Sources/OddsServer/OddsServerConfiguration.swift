/// Where the API listens.
public struct OddsServerConfiguration: Sendable {
    /// The host name or address to bind. The default is reachable from this machine only: there is no log-in.
    public var host = "127.0.0.1"
    /// The port to bind, 0 to 65535; 0 takes any free port.
    public var port = 8787
    /// The program's version, as `/v1/status` tells it.
    public var version = ""

    /// The defaults: `127.0.0.1:8787`.
    public init() {}
}
