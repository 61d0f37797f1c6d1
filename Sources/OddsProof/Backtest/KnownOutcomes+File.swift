internal import OddsCore
internal import OddsRecording
internal import RealtimeOdds

extension KnownOutcomes {
    /// How long after its window's end the venue tells how a market ended.
    static let venueDelay = Duration.seconds(20)

    /// The ends of the markets in a file, plain or gzip: a line each with what Gamma says of a market, of several, or of an
    /// event. Markets that are not decided are passed over.
    ///
    /// What is bought is paid out twenty seconds after its market's window, or at the end when it has none.
    ///
    /// - Throws: `ProofError` when the file cannot be read, has a line that is none of these, or no market at all.
    public static func read(path: String) throws -> KnownOutcomes {
        let reader: PlainLines
        do {
            reader = try PlainLines(path: path)
        } catch {
            throw ProofError("The outcomes \(path) cannot be read. Check the path and its permissions.", cause: error)
        }
        var outcomes: [Outcome] = []
        var markets = 0
        var number = 0
        while let line = reader.next() {
            number += 1
            guard line.contains(where: { $0 > 0x20 }) else { continue }
            do {
                for finding in try MarketFinding.reading(json: line) {
                    markets += 1
                    if let outcome = Outcome(finding) { outcomes.append(outcome) }
                }
            } catch {
                throw ProofError("Line \(number) of \(path) is nothing that Gamma says of markets.", cause: error)
            }
        }
        if let problem = reader.problem { throw ProofError("The outcomes \(path) cannot be read: \(problem).") }
        guard markets > 0 else {
            throw ProofError("There is no market in \(path). Give a file with a line for each, as Gamma tells them.")
        }
        return KnownOutcomes(outcomes)
    }
}

extension KnownOutcomes.Outcome {
    /// What Gamma found; nil while it has not decided.
    fileprivate init?(_ finding: MarketFinding) {
        let known = finding.market.window.map { $0.end.advanced(by: KnownOutcomes.venueDelay) }
        switch finding.settlement {
        case .won(let side): self.init(market: finding.market.id, winner: side, known: known)
        case .split: self.init(market: finding.market.id, winner: nil, known: known)
        case .open, .closed: return nil
        }
    }
}
