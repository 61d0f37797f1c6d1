internal import OddsCore

/// What is wrong with a REST API as a whole.
struct RESTTrouble: Sendable {
    /// The answer to everything; nil when requests are answered by what they ask for.
    var answer: HTTPAnswer?
    /// How late answers are.
    var delay = Duration.zero

    /// An answer as it arrives.
    func applied(to answer: HTTPAnswer) -> HTTPAnswer {
        guard self.delay > .zero, answer.arrival == .atOnce else { return answer }
        var late = answer
        late.arrival = .after(self.delay)
        return late
    }
}

extension FaultState {
    /// What is wrong with a REST API; of several faults the newest decides, and slowness comes on top.
    func trouble(of api: FaultTarget.API, now: MonotonicTime) -> RESTTrouble {
        var trouble = RESTTrouble()
        for active in self.newestFirst(now) where active.fault.target.api == nil || active.fault.target.api == api {
            if case .restSlow(let time) = active.fault.kind { trouble.delay = max(trouble.delay, time) }
            if trouble.answer == nil { trouble.answer = Self.answer(active.fault.kind) }
        }
        trouble.answer = trouble.answer.map { trouble.applied(to: $0) }
        return trouble
    }

    private static func answer(_ kind: SimulatorFault.Kind) -> HTTPAnswer? {
        var answer: HTTPAnswer
        switch kind {
        case .restError(let status, let retryAfter):
            answer = HTTPAnswer.error(status, status == 429 ? "Too Many Requests" : "Service Unavailable")
            if let retryAfter {
                let seconds = max(0, Int64(retryAfter.secondsValue.rounded(.up)))
                answer.fields = [HTTPAnswer.Field(name: "Retry-After", value: String(seconds))]
            }
        case .restHang:
            answer = HTTPAnswer("")
            answer.arrival = .never
        case .restReset:
            answer = HTTPAnswer("")
            answer.arrival = .reset
        case .drop, .close, .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .duplicate, .reorder, .corrupt, .truncate,
            .cut, .oversize, .wrongHash, .lose, .restSlow, .restStale, .ghostBook, .missingMarket, .clockSkew, .gap,
            .recover:
            return nil
        }
        return answer
    }
}
