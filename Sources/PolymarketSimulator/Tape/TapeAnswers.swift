internal import Foundation
internal import OddsCore

/// The CLOB's REST API over a tape: the books as they were at the moment that is being played.
struct TapeAnswers {
    let stage: TapeStage

    private static let noBook = HTTPAnswer.error(404, "No orderbook exists for the requested token id")
    private static let batchLimit = 500

    func answer(_ question: HTTPQuestion) -> HTTPAnswer {
        switch (question.method, question.path) {
        case ("GET", "/ok"), ("GET", "/"): return HTTPAnswer("\"OK\"")
        case ("GET", "/time"): return HTTPAnswer(String(self.stage.time.flooredQuotient(1_000_000_000)))
        case ("GET", "/book"):
            guard let book = self.book(question) else { return Self.noBook }
            return HTTPAnswer(bytes: self.stage.text(of: book, rest: true))
        case ("POST", "/books"): return self.books(question)
        case ("GET", "/price"):
            guard let book = self.book(question) else { return Self.noBook }
            let isBuy = question.value("side")?.uppercased() == "BUY"
            return (isBuy ? book.bestAsk : book.bestBid).map { HTTPAnswer(#"{"price":"\#($0)"}"#) } ?? Self.noBook
        case ("GET", "/midpoint"):
            guard let book = self.book(question), let bid = book.bestBid, let ask = book.bestAsk else {
                return Self.noBook
            }
            return HTTPAnswer(#"{"mid":"\#(Odds.midpoint(bid, ask))"}"#)
        case ("GET", "/tick-size"):
            return self.book(question).map { HTTPAnswer(#"{"minimum_tick_size":\#($0.step)}"#) } ?? Self.noBook
        default: return .error(404, "Not Found")
        }
    }

    private func book(_ question: HTTPQuestion) -> TapeBook? {
        question.value("token_id").flatMap { self.stage.book(of: $0) }
    }

    private struct Item: Decodable { var token_id: String }

    private func books(_ question: HTTPQuestion) -> HTTPAnswer {
        guard let items = try? JSONDecoder().decode([Item].self, from: Data(question.body)) else {
            return .error(400, "Invalid payload")
        }
        guard items.count <= Self.batchLimit else { return .error(400, "Payload exceeds the limit") }
        let texts = items.compactMap { self.stage.book(of: $0.token_id) }.map {
            String(decoding: self.stage.text(of: $0, rest: true), as: UTF8.self)
        }
        return HTTPAnswer("[" + texts.joined(separator: ",") + "]")
    }
}
