// The venue's hash of the whole book against that of the rebuilt one.
//
// A match proves a book exact and complete, down to the last share of the last level. Anything else proves less: the
// hash covers the last trade price, which the feed tells up to 115 ms later than the book that holds it, and two
// constants of the market that the feed never tells. Hence three answers and not two:
//
// - verified: the hash is that of the rebuilt book, with one of the last trade prices that may have been in force.
// - mismatching: it is not, though a hash of this market has been right before and no trade or change of the tick size
//   lies near. Three in a row make the market suspect, and a fresh book is asked for; a right hash ends the doubt.
// - unverifiable: neither can be said. No consequence.
//
// A client that asks for fresh books for ever, because the venue has changed its recipe, would be worse than one that
// does not check. So a fresh book that does not have the hash it came with ends the complaints about its token until
// some hash of it is right again; and as long as no batch since the last complaint was verified, the next one has to
// wait: a minute, then two, four, up to an hour.
extension FeedBooks {
    /// How often a token's price changes are checked: the hash of one is kept and compared when its batch is over.
    /// Zero checks every batch; nil none. Full books are always checked. 250 ms unless set.
    public var changeCheckInterval: Duration? {
        get { self.hot.pointee.checks.interval.map { .nanoseconds($0) } }
        set {
            self.hot.pointee.checks.interval = newValue.map { max(0, $0.wholeNanoseconds) }
            for case let asset? in self.hot.pointee.assets { asset.pointee.hashes.due = self.firstSample }
        }
    }

    /// Takes over what a REST answer tells about a followed token's market and the feed does not: the smallest order and
    /// whether the market is one of a group; also the tick size and the last trade where the feed has told nothing newer.
    /// A book of a token that is not followed here is ignored.
    public func learn(_ book: RESTBook) {
        let found = self.hot.pointee.table.find(book.asset)
        guard found >= 0, let asset = self.hot.pointee.assets[found] else { return }
        asset.pointee.hashes.minimumOrderSize = book.minimumOrderSize ?? asset.pointee.hashes.minimumOrderSize
        asset.pointee.hashes.negativeRisk = book.negativeRisk ?? asset.pointee.hashes.negativeRisk
        let isNewer = !asset.pointee.book.hasSnapshot || book.timestamp > asset.pointee.book.lastTime
        if let tickSize = book.tickSize, isNewer || asset.pointee.book.tickSize == nil {
            self.noteTickSize(tickSize, of: asset)
        }
        guard asset.pointee.market >= 0, let market = self.hot.pointee.markets[asset.pointee.market] else { return }
        self.tellMarket(of: asset)
        if isNewer || market.pointee.hashes.lastTrades.count == 0 || market.pointee.hashes.lastTradeIsInDoubt {
            market.pointee.hashes.lastTrades.note(
                book.lastTradePrice, stamp: book.timestamp, received: self.hot.pointee.now.monotonic.nanoseconds)
        }
        self.retryOpenChecks(of: asset.pointee.market)
    }

    /// Hands what REST told about a token on to its market.
    func tellMarket(of asset: UnsafeMutablePointer<AssetState>) {
        guard asset.pointee.market >= 0, let market = self.hot.pointee.markets[asset.pointee.market] else { return }
        market.pointee.hashes.learn(asset.pointee.hashes.minimumOrderSize, asset.pointee.hashes.negativeRisk)
    }

    /// Whether `verifyPending` has anything to do, now or later.
    public var hasPendingChecks: Bool {
        !self.hot.pointee.checks.sampled.isEmpty || !self.hot.pointee.checks.open.isEmpty
    }

    /// Checks what no further message has brought to its end. `begin(at:)` comes first.
    ///
    /// A batch whose last message came at or before `limit` is looked at: if its hash is right, that is the answer; if
    /// not, the rest of it may still be on its way, and it stays open until a newer message comes or a quarter of a second
    /// is over. Hashes that wait for a trade are given up after the same time.
    public func verifyPending(before limit: MonotonicTime) {
        self.closeOverdueChecks()
        let now = self.hot.pointee.now.monotonic.nanoseconds
        for index in self.hot.pointee.checks.sampled {
            guard let market = self.hot.pointee.markets[index], market.pointee.hashes.isSampled else { continue }
            for found in [market.pointee.yes, market.pointee.no] where found >= 0 {
                guard let asset = self.hot.pointee.assets[found], let sample = asset.pointee.hashes.sample,
                    sample.received <= limit.nanoseconds
                else {
                    continue
                }
                if now - sample.received >= Self.answerLimit {
                    self.check(sample, of: found, asset, market)
                } else if !sample.tried {
                    self.tryEarly(sample, of: found, asset, market)
                }
            }
            market.pointee.hashes.isSampled = self.hasSample(market)
        }
        self.hot.pointee.checks.sampled.removeAll { index in
            guard let market = self.hot.pointee.markets[index] else { return true }
            market.pointee.hashes.isListed = market.pointee.hashes.isSampled
            return !market.pointee.hashes.isSampled
        }
    }

    /// How many mismatches in a row it takes to doubt a book.
    static let mismatchesUntilSuspicion = 3
    /// How long an answer to an open check may take; nanoseconds.
    static let answerLimit: Int64 = 250_000_000
    /// How near a trade has to be for the last trade price to be uncertain; milliseconds. Measured: 25 to 114.
    static let tradeShadow: UInt64 = 150
    /// How long the second complaint waits for after the first; nanoseconds. The wait doubles up to 64 times.
    static let firstPatience: Int64 = 60_000_000_000

    // MARK: Hooks of the events

    /// The time of a new token's first sample.
    var firstSample: Int64 { self.hot.pointee.checks.interval == nil ? .max : .min }

    /// Keeps the hash of an applied price change until its batch is over.
    @inline(never)
    func sample(_ text: WireText?, of found: Int, in index: Int, at stamp: Timestamp) {
        guard let asset = self.hot.pointee.assets[found], let market = self.hot.pointee.markets[index] else { return }
        guard let text, let hash = BookHash(utf8: text.bytes) else {
            self.hot.pointee.counters.changeHashesUnverifiable &+= 1
            asset.pointee.hashes.sample = nil
            self.scheduleSample(of: asset)
            return
        }
        asset.pointee.hashes.sample = SampledHash(
            hash: hash, stamp: stamp, received: self.hot.pointee.now.monotonic.nanoseconds)
        market.pointee.hashes.isSampled = true
        guard !market.pointee.hashes.isListed else { return }
        market.pointee.hashes.isListed = true
        self.hot.pointee.checks.sampled.append(index)
    }

    /// A message with a newer stamp is about to go in: the batch before it is complete.
    @inline(never)
    func checkSamples(of index: Int) {
        guard let market = self.hot.pointee.markets[index] else { return }
        self.closeOverdueChecks()
        market.pointee.hashes.isSampled = false
        for found in [market.pointee.yes, market.pointee.no] where found >= 0 {
            guard let asset = self.hot.pointee.assets[found], let sample = asset.pointee.hashes.sample else { continue }
            self.check(sample, of: found, asset, market)
        }
    }

    /// A full book has replaced the token's old one.
    func checkBook(_ event: WireBook, of found: Int, _ asset: UnsafeMutablePointer<AssetState>) {
        let now = self.hot.pointee.now.monotonic.nanoseconds
        // Whatever the old book was like, it is gone.
        asset.pointee.hashes.sample = nil
        asset.pointee.hashes.replaced = now
        let index = asset.pointee.market
        self.closeOverdueChecks()
        guard index >= 0, let market = self.hot.pointee.markets[index] else { return }
        if event.tellsLastTrade {
            self.noteTrade(event.lastTradePrice, at: event.timestamp, in: index)
        }
        guard let text = event.hash, let hash = BookHash(utf8: text.bytes) else {
            self.hot.pointee.counters.bookHashesUnverifiable &+= 1
            return
        }
        self.check(
            hash, at: event.timestamp, received: now,
            kind: .book(
                tells: event.tellsLastTrade, lastTrade: event.lastTradePrice,
                isProof: asset.pointee.hashes.awaitsProof), of: found, asset, market)
    }

    /// The price of the market's last trade has been told, by a trade or by a book.
    func noteTrade(_ price: Price?, at stamp: Timestamp, in index: Int) {
        guard let market = self.hot.pointee.markets[index] else { return }
        market.pointee.hashes.lastTrades.note(
            price, stamp: stamp, received: self.hot.pointee.now.monotonic.nanoseconds)
        market.pointee.hashes.lastTradeIsInDoubt = false
        self.retryOpenChecks(of: index)
        self.closeOverdueChecks()
    }

    /// A token's tick size has been told, by an event, a book or REST.
    func noteTickSize(_ tickSize: Price, of asset: UnsafeMutablePointer<AssetState>) {
        guard asset.pointee.book.tickSize != tickSize else { return }
        if let before = asset.pointee.book.tickSize {
            asset.pointee.hashes.previousTickSize = before
            asset.pointee.hashes.tickSizeChanged = self.hot.pointee.now.monotonic.nanoseconds
        }
        asset.pointee.book.tickSize = tickSize
        if asset.pointee.market >= 0 { self.retryOpenChecks(of: asset.pointee.market) }
    }

    /// The token or its book is gone: what was open will have no answer.
    func abandonChecks(of found: Int) {
        self.hot.pointee.assets[found]?.pointee.hashes.sample = nil
        guard self.hot.pointee.checks.open.contains(where: { $0.asset == found }) else { return }
        for check in self.hot.pointee.checks.open where check.asset == found { self.count(.unverifiable, check.kind) }
        self.hot.pointee.checks.open.removeAll { $0.asset == found }
    }

    // MARK: Checking

    private func scheduleSample(of asset: UnsafeMutablePointer<AssetState>) {
        guard let interval = self.hot.pointee.checks.interval else {
            asset.pointee.hashes.due = .max
            return
        }
        asset.pointee.hashes.due =
            interval == 0 ? .min : self.hot.pointee.now.monotonic.advanced(by: .nanoseconds(interval)).nanoseconds
    }

    private func hasSample(_ market: UnsafeMutablePointer<MarketState>) -> Bool {
        for found in [market.pointee.yes, market.pointee.no] where found >= 0 {
            if self.hot.pointee.assets[found]?.pointee.hashes.sample != nil { return true }
        }
        return false
    }

    /// The batch is over: this is what its hash has to be compared with.
    private func check(
        _ sample: SampledHash, of found: Int, _ asset: UnsafeMutablePointer<AssetState>,
        _ market: UnsafeMutablePointer<MarketState>
    ) {
        asset.pointee.hashes.sample = nil
        self.scheduleSample(of: asset)
        self.check(sample.hash, at: sample.stamp, received: sample.received, kind: .batch, of: found, asset, market)
    }

    /// The batch is probably over.
    private func tryEarly(
        _ sample: SampledHash, of found: Int, _ asset: UnsafeMutablePointer<AssetState>,
        _ market: UnsafeMutablePointer<MarketState>
    ) {
        let check = OpenCheck(
            asset: found, kind: .batch, hash: sample.hash, digest: self.digest(asset, market, at: sample.stamp),
            stamp: sample.stamp, received: sample.received)
        guard self.matches(check, asset, market) else {
            asset.pointee.hashes.sample?.tried = true
            return
        }
        asset.pointee.hashes.sample = nil
        self.scheduleSample(of: asset)
        self.verified(check, asset, market)
    }

    private func check(
        _ hash: BookHash, at stamp: Timestamp, received: Int64, kind: OpenCheck.Kind, of found: Int,
        _ asset: UnsafeMutablePointer<AssetState>, _ market: UnsafeMutablePointer<MarketState>
    ) {
        let check = OpenCheck(
            asset: found, kind: kind, hash: hash, digest: self.digest(asset, market, at: stamp), stamp: stamp,
            received: received)
        if self.matches(check, asset, market) {
            self.verified(check, asset, market)
        } else if self.hot.pointee.now.monotonic.nanoseconds - received >= Self.answerLimit {
            self.unanswered(check, asset, market)
        } else {
            if self.hot.pointee.checks.open.count == HashChecks.maximumOpen {
                self.count(.unverifiable, self.hot.pointee.checks.open.removeFirst().kind)
            }
            self.hot.pointee.checks.open.append(check)
        }
    }

    private func digest(
        _ asset: UnsafeMutablePointer<AssetState>, _ market: UnsafeMutablePointer<MarketState>, at stamp: Timestamp
    ) -> BookDigest {
        self.hot.pointee.checks.text.begin(
            market: market.pointee.slot.market.id, asset: asset.pointee.id, timestamp: String(stamp.milliseconds))
        asset.pointee.book.bids.forEachAscending { self.hot.pointee.checks.text.level(price: $0, size: $1) }
        self.hot.pointee.checks.text.beginAsks()
        asset.pointee.book.asks.forEachDescending { self.hot.pointee.checks.text.level(price: $0, size: $1) }
        return self.hot.pointee.checks.text.digest()
    }

    private func matches(
        _ check: OpenCheck, _ asset: UnsafeMutablePointer<AssetState>, _ market: UnsafeMutablePointer<MarketState>
    ) -> Bool {
        func fits(_ tickSize: Price, _ lastTrade: Price?) -> Bool {
            check.hash
                == check.digest.hash(
                    minimumOrderSize: market.pointee.hashes.minimumOrderSize, tickSize: tickSize,
                    negativeRisk: market.pointee.hashes.negativeRisk, lastTradePrice: lastTrade)
        }
        func fits(_ tickSize: Price) -> Bool {
            if case .book(tells: true, let lastTrade, _) = check.kind, fits(tickSize, lastTrade) { return true }
            for lastTrade in market.pointee.hashes.lastTrades.prices where fits(tickSize, lastTrade) { return true }
            return false
        }
        if let known = asset.pointee.book.tickSize {
            return fits(known) || (asset.pointee.hashes.previousTickSize.map { fits($0) } ?? false)
        }
        for guess in [market.pointee.slot.market.tickSize, 0.01, 0.001] as [Price] where fits(guess) {
            asset.pointee.book.tickSize = guess
            return true
        }
        return false
    }

    // MARK: Answers

    /// Looks at the market's open checks again, with what has been learnt.
    private func retryOpenChecks(of index: Int) {
        if let market = self.hot.pointee.markets[index], market.pointee.hashes.isSampled {
            for found in [market.pointee.yes, market.pointee.no] where found >= 0 {
                self.hot.pointee.assets[found]?.pointee.hashes.sample?.tried = false
            }
        }
        guard !self.hot.pointee.checks.open.isEmpty else { return }
        let open = self.hot.pointee.checks.open
        self.hot.pointee.checks.open.removeAll(keepingCapacity: true)
        for check in open {
            guard let asset = self.hot.pointee.assets[check.asset], asset.pointee.market == index,
                let market = self.hot.pointee.markets[index], self.matches(check, asset, market)
            else {
                self.hot.pointee.checks.open.append(check)
                continue
            }
            self.verified(check, asset, market)
        }
    }

    /// Gives up what has been open for too long.
    private func closeOverdueChecks() {
        let limit = self.hot.pointee.now.monotonic.nanoseconds - Self.answerLimit
        guard let first = self.hot.pointee.checks.open.first, first.received <= limit else { return }
        let overdue = self.hot.pointee.checks.open.filter { $0.received <= limit }
        self.hot.pointee.checks.open.removeAll { $0.received <= limit }
        for check in overdue {
            guard let asset = self.hot.pointee.assets[check.asset], asset.pointee.market >= 0,
                let market = self.hot.pointee.markets[asset.pointee.market]
            else {
                self.count(.unverifiable, check.kind)
                continue
            }
            self.unanswered(check, asset, market)
        }
    }

    private func verified(
        _ check: OpenCheck, _ asset: UnsafeMutablePointer<AssetState>, _ market: UnsafeMutablePointer<MarketState>
    ) {
        self.count(.verified, check.kind)
        market.pointee.hashes.isProven = true
        market.pointee.hashes.lastTradeIsInDoubt = false
        asset.pointee.hashes.isUseless = false
        asset.pointee.hashes.mismatches = 0
        asset.pointee.hashes.verified = max(asset.pointee.hashes.verified, check.received)
        switch check.kind {
        case .book: asset.pointee.hashes.awaitsProof = false
        case .batch:
            asset.pointee.hashes.complaints = 0
            asset.pointee.hashes.patience = .min
        }
        guard asset.pointee.hashes.isAccused else { return }
        // A late row has completed the book.
        asset.pointee.hashes.isAccused = false
        for found in [market.pointee.yes, market.pointee.no] where found >= 0 {
            if self.hot.pointee.assets[found]?.pointee.hashes.isAccused == true { return }
        }
        market.pointee.suspicion.remove(.hashMismatch)
        self.refreshTrust(of: asset.pointee.market)
    }

    /// Nothing that is known explains the hash.
    private func unanswered(
        _ check: OpenCheck, _ asset: UnsafeMutablePointer<AssetState>, _ market: UnsafeMutablePointer<MarketState>
    ) {
        guard self.isConclusive(check, asset, market) else {
            self.count(.unverifiable, check.kind)
            if case .book(tells: false, _, _) = check.kind { market.pointee.hashes.lastTradeIsInDoubt = true }
            return
        }
        if case .book(_, _, isProof: true) = check.kind, asset.pointee.hashes.awaitsProof {
            asset.pointee.hashes.awaitsProof = false
            asset.pointee.hashes.isUseless = true
            asset.pointee.hashes.mismatches = 0
            self.count(.unverifiable, check.kind)
            return
        }
        self.count(.mismatching, check.kind)
        guard check.received > asset.pointee.hashes.verified else { return }
        if case .batch = check.kind, check.received <= asset.pointee.hashes.replaced { return }
        asset.pointee.hashes.mismatches += 1
        let now = self.hot.pointee.now.monotonic.nanoseconds
        guard asset.pointee.hashes.mismatches >= Self.mismatchesUntilSuspicion, now >= asset.pointee.hashes.patience
        else {
            return
        }
        self.complain(check.asset, asset, market, now: now)
    }

    /// Whether a hash that nothing explains says that the book is wrong.
    private func isConclusive(
        _ check: OpenCheck, _ asset: UnsafeMutablePointer<AssetState>, _ market: UnsafeMutablePointer<MarketState>
    ) -> Bool {
        guard market.pointee.hashes.isProven, !asset.pointee.hashes.isUseless else { return false }
        switch check.kind {
        case .book(let tells, _, _): return tells
        case .batch:
            guard !market.pointee.hashes.lastTradeIsInDoubt else { return false }
            let changed = asset.pointee.hashes.tickSizeChanged
            if changed != .min, abs(changed - check.received) <= Self.answerLimit { return false }
            return !market.pointee.hashes.lastTrades.isNear(
                stamp: check.stamp, received: check.received, within: Self.tradeShadow)
        }
    }

    private func complain(
        _ found: Int, _ asset: UnsafeMutablePointer<AssetState>, _ market: UnsafeMutablePointer<MarketState>, now: Int64
    ) {
        asset.pointee.hashes.mismatches = 0
        asset.pointee.hashes.isAccused = true
        asset.pointee.hashes.awaitsProof = true
        asset.pointee.hashes.patience = now + Self.firstPatience << Int64(min(asset.pointee.hashes.complaints, 6))
        asset.pointee.hashes.complaints += 1
        market.pointee.suspicion.insert(.hashMismatch)
        self.requestResync(found, reason: .hashMismatch)
        self.refreshTrust(of: asset.pointee.market)
    }

    private enum Answer {
        case verified, unverifiable, mismatching
    }

    private func count(_ answer: Answer, _ kind: OpenCheck.Kind) {
        switch (kind, answer) {
        case (.book, .verified): self.hot.pointee.counters.bookHashesVerified &+= 1
        case (.book, .unverifiable): self.hot.pointee.counters.bookHashesUnverifiable &+= 1
        case (.book, .mismatching): self.hot.pointee.counters.bookHashesMismatching &+= 1
        case (.batch, .verified): self.hot.pointee.counters.changeHashesVerified &+= 1
        case (.batch, .unverifiable): self.hot.pointee.counters.changeHashesUnverifiable &+= 1
        case (.batch, .mismatching): self.hot.pointee.counters.changeHashesMismatching &+= 1
        }
    }
}
