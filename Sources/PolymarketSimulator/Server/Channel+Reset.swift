internal import NIOCore
internal import NIOPosix

extension Channel {
    /// Closes the connection so that the peer sees a reset.
    func reset() {
        guard let options = self as? any SocketOptionProvider else { return self.close(promise: nil) }
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in
            // The option only makes the end harsher: the connection is closed with it or without it.
            self.close(promise: nil)
        }
    }
}
