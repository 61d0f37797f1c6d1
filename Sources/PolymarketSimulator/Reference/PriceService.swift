/// The live data socket of an exchange, as a server of WebSockets wants it.
package struct PriceService: WebSocketService {
    private let exchange: SimulatedExchange

    /// The socket of an exchange.
    package init(_ exchange: SimulatedExchange) { self.exchange = exchange }

    package func refusal() -> SimulatorFault.Refusal? { self.exchange.priceRefusal() }
    package func opened(_ link: WebSocketLink) { self.exchange.priceOpened(link) }
    package func received(_ message: WebSocketMessage, from id: Int) -> [WebSocketCommand] {
        self.exchange.priceReceived(message, from: id)
    }
    package func closed(_ id: Int) { self.exchange.priceClosed(id) }
}
