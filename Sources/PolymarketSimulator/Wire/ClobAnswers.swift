internal import Foundation
internal import OddsCore

/// The CLOB's REST API over the simulated exchange.
struct ClobAnswers {
    private static let noBook = HTTPAnswer.error(404, "No orderbook exists for the requested token id")
    private static let badToken = HTTPAnswer.error(400, "Invalid token id")
    private static let batchLimit = 500

    let engine: ExchangeEngine
    let faults: BookFaults
    /// What the venue's clock says at the moment of the question: the engine's time is that of its last tick.
    let clock: Timestamp

    func answer(_ question: HTTPQuestion) -> HTTPAnswer {
        switch (question.method, question.path) {
        case ("GET", "/ok"), ("GET", "/"): HTTPAnswer("\"OK\"")
        case ("GET", "/time"): HTTPAnswer(String(self.clock.seconds))
        case ("GET", "/book"): self.book(question)
        case ("POST", "/books"): self.books(question)
        case ("GET", "/price"): self.price(question)
        case ("POST", "/prices"): self.prices(question)
        case ("GET", "/midpoint"): self.one(question) { self.midpoint($0, $1).map { #"{"mid":"\#($0)"}"# } }
        case ("POST", "/midpoints"): self.many(question) { self.midpoint($0, $1) }
        case ("GET", "/spread"): self.one(question) { self.spread($0, $1).map { #"{"spread":"\#($0)"}"# } }
        case ("POST", "/spreads"): self.many(question) { self.spread($0, $1) }
        case ("GET", "/last-trade-price"): self.one(question) { process, _ in Self.lastTrade(process) }
        case ("GET", "/tick-size"):
            self.one(question) { process, _ in #"{"minimum_tick_size":\#(process.tickSize)}"# }
        case ("GET", "/neg-risk"): self.one(question) { _, _ in #"{"neg_risk":false}"# }
        case ("GET", "/fee-rate"): self.one(question) { _, _ in #"{"base_fee":0}"# }
        case ("GET", "/prices-history"): self.history(question)
        case ("GET", let path) where path.hasPrefix("/markets/"): self.market(String(path.dropFirst(9)))
        default: .error(404, "Not Found")
        }
    }

    // MARK: Tokens

    private enum Found {
        case market(MarketProcess, Token)
        case answer(HTTPAnswer)
    }

    private func find(_ asset: String?) -> Found {
        guard let asset, !asset.isEmpty, asset.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return .answer(Self.badToken)
        }
        let engine = self.faults.engine(for: asset)
        guard let (window, token) = engine.token(asset: asset), let process = engine.process(of: window)
        else { return .answer(Self.noBook) }
        return .market(process, token)
    }

    private func wholeBook(_ asset: String) -> [UInt8]? {
        let book: [UInt8]?
        if let age = self.faults.ghostAge(asset) {
            book = self.engine.ghost(asset: asset, age: age)
        } else {
            book = self.faults.engine(for: asset).book(asset: asset, rest: true)
        }
        return self.faults.hasWrongHash(asset) ? book.map(FrameSurgery.withWrongHashes) : book
    }

    /// An answer about one token; nil from the closure means that its book has nothing to say.
    private func one(_ question: HTTPQuestion, _ json: (MarketProcess, Token) -> String?) -> HTTPAnswer {
        switch self.find(question.value("token_id")) {
        case .answer(let answer): answer
        case .market(let process, let token): json(process, token).map { HTTPAnswer($0) } ?? Self.noBook
        }
    }

    private struct Item: Decodable {
        var token_id: String
        var side: String?
    }

    private func items(_ question: HTTPQuestion) -> [Item]? {
        try? JSONDecoder().decode([Item].self, from: Data(question.body))
    }

    /// An answer about several tokens, by token; tokens without an answer are left out.
    private func many(_ question: HTTPQuestion, _ text: (MarketProcess, Token) -> String?) -> HTTPAnswer {
        guard let items = self.items(question) else { return .error(400, "Invalid payload") }
        guard items.count <= Self.batchLimit else { return .error(400, "Payload exceeds the limit") }
        let members = items.compactMap { item -> String? in
            guard case .market(let process, let token) = self.find(item.token_id), let value = text(process, token)
            else { return nil }
            return #""\#(item.token_id)":"\#(value)""#
        }
        return HTTPAnswer("{" + members.joined(separator: ",") + "}")
    }

    // MARK: Books and prices

    private func book(_ question: HTTPQuestion) -> HTTPAnswer {
        switch self.find(question.value("token_id")) {
        case .answer(let answer): return answer
        case .market:
            guard let asset = question.value("token_id"), let book = self.wholeBook(asset) else {
                return Self.noBook
            }
            return HTTPAnswer(bytes: book)
        }
    }

    private func books(_ question: HTTPQuestion) -> HTTPAnswer {
        guard let items = self.items(question) else { return .error(400, "Invalid payload") }
        guard items.count <= Self.batchLimit else { return .error(400, "Payload exceeds the limit") }
        var bytes: [UInt8] = [0x5B]
        for item in items {
            guard let book = self.wholeBook(item.token_id) else { continue }
            if bytes.count > 1 { bytes.append(0x2C) }
            bytes.append(contentsOf: book.dropLast())
        }
        return HTTPAnswer(bytes: bytes + [0x5D])
    }

    /// BUY is what a buyer pays: the best ask.
    private static func price(_ process: MarketProcess, _ token: Token, _ side: String) -> Price? {
        let top = process.book.top(of: token)
        return side == "BUY" ? top.ask?.price : top.bid?.price
    }

    private func price(_ question: HTTPQuestion) -> HTTPAnswer {
        guard let side = question.value("side")?.uppercased(), side == "BUY" || side == "SELL" else {
            return .error(400, "Invalid side")
        }
        return self.one(question) { process, token in
            Self.price(process, token, side).map { #"{"price":"\#($0)"}"# }
        }
    }

    private func prices(_ question: HTTPQuestion) -> HTTPAnswer {
        guard let items = self.items(question) else { return .error(400, "Invalid payload") }
        guard items.count <= Self.batchLimit else { return .error(400, "Payload exceeds the limit") }
        var order: [String] = []
        var members: [String: [String]] = [:]
        for item in items {
            guard let side = item.side?.uppercased(), side == "BUY" || side == "SELL" else {
                return .error(400, "Invalid side")
            }
            guard case .market(let process, let token) = self.find(item.token_id),
                let price = Self.price(process, token, side)
            else { continue }
            if members[item.token_id] == nil { order.append(item.token_id) }
            members[item.token_id, default: []].append(#""\#(side)":"\#(price)""#)
        }
        let list = order.map { #""\#($0)":{\#(members[$0, default: []].joined(separator: ","))}"# }
        return HTTPAnswer("{" + list.joined(separator: ",") + "}")
    }

    private func midpoint(_ process: MarketProcess, _ token: Token) -> String? {
        let top = process.book.top(of: token)
        guard let bid = top.bid?.price, let ask = top.ask?.price else { return nil }
        return Odds.midpoint(bid, ask).description
    }

    private func spread(_ process: MarketProcess, _ token: Token) -> String? {
        let top = process.book.top(of: token)
        guard let bid = top.bid?.price, let ask = top.ask?.price else { return nil }
        return Price(rawValue: ask.rawValue - bid.rawValue).description
    }

    private static func lastTrade(_ process: MarketProcess) -> String {
        guard let trade = process.lastTrade else { return #"{"price":"0.5","side":""}"# }
        return #"{"price":"\#(trade.price)","side":"\#(trade.takerBuys ? "BUY" : "SELL")"}"#
    }

    // MARK: History and markets

    private static let intervals: [String: Int64] = [
        "1h": 3600, "6h": 21_600, "1d": 86_400, "1w": 604_800, "1m": 2_592_000, "max": 2_592_000,
    ]

    private func history(_ question: HTTPQuestion) -> HTTPAnswer {
        guard let asset = question.value("market"), let (window, token) = self.engine.token(asset: asset) else {
            return Self.badToken
        }
        let now = self.engine.now.seconds
        // Whatever is asked for is brought into a span in which nothing overflows.
        let until = min(max(0, question.value("endTs").flatMap(Int64.init) ?? now), now)
        let from: Int64
        if let start = question.value("startTs").flatMap(Int64.init) {
            guard question.value("interval") == nil else {
                return .error(400, "interval and startTs/endTs are mutually exclusive")
            }
            from = min(start, now)
        } else if let length = Self.intervals[question.value("interval") ?? "1d"] {
            from = until - length
        } else {
            return .error(400, "Invalid interval")
        }
        let step = min(max(1, question.value("fidelity").flatMap(Int64.init) ?? 1), 1_000_000) * 60
        let begin = max(from, window.listed.seconds)
        let points = stride(from: (begin / step + 1) * step, through: min(until, window.end.seconds), by: Int(step))
        let list = points.suffix(2_000).map { time in
            let up = self.engine.calmValue(of: window, at: Timestamp(seconds: time))
            let odds = Odds(rawValue: Int32((token == .up ? up : 1 - up) * 1000) * 1000)
            return #"{"t":\#(time),"p":\#(odds)}"#
        }
        return HTTPAnswer(#"{"history":[\#(list.joined(separator: ","))]}"#)
    }

    private func market(_ condition: String) -> HTTPAnswer {
        guard let window = self.engine.window(condition: condition) else { return .error(404, "market not found") }
        let winner = self.engine.winner(of: window)
        let process = self.engine.process(of: window)
        let isOpen = self.engine.now < window.end
        let tokens = Token.allCases.map { token in
            let price: String
            if let winner {
                price = winner == token ? "1" : "0"
            } else {
                price = process.flatMap { self.midpoint($0, token) } ?? "0.5"
            }
            return #"{"token_id":"\#(window.asset(token))","outcome":"\#(token.label)","price":\#(price),"#
                + #""winner":\#(winner == token)}"#
        }
        let head =
            #"{"enable_order_book":\#(isOpen),"active":true,"closed":\#(winner != nil),"archived":false,"#
            + #""accepting_orders":\#(isOpen),"accepting_order_timestamp":"\#(CivilTime(utc: window.listed.seconds).iso)","#
            + #""minimum_order_size":5,"minimum_tick_size":\#(process?.tickSize ?? 0.01),"#
            + #""condition_id":"\#(window.condition)","question_id":"\#(window.question)","#
        let tail =
            #""question":\#(Text.quoted(window.title)),"description":\#(Text.quoted(window.rules)),"#
            + #""market_slug":"\#(window.slug)","end_date_iso":"\#(CivilTime(utc: window.end.seconds).iso)","#
            + #""game_start_time":null,"seconds_delay":0,"fpmm":"","maker_base_fee":1000,"taker_base_fee":1000,"#
            + #""notifications_enabled":true,"neg_risk":false,"neg_risk_market_id":"","neg_risk_request_id":"","#
            + #""icon":"","image":"","rewards":{"rates":null,"min_size":50,"max_spread":4.5},"#
            + #""is_50_50_outcome":false,"tokens":[\#(tokens.joined(separator: ","))],"#
            + #""tags":["Crypto Prices","Up or Down","All"]}"#
        return HTTPAnswer(head + tail)
    }
}
