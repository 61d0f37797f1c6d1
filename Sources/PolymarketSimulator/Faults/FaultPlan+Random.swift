internal import OddsCore

extension FaultPlan {
    /// Faults of all kinds with targets and durations, drawn from a seed: the same arguments give the same plan on every
    /// platform. Every fault that lasts ends by `to`.
    ///
    /// - Parameters:
    ///   - seed: what everything is drawn from.
    ///   - from: when the first may come.
    ///   - to: when all is over; later than `from`.
    ///   - perMinute: how many come in a minute, on average.
    ///   - lines: how many connections there are to be aimed at, at least 1.
    ///   - only: the kinds to draw from; nil for all. `recover` is never drawn.
    package static func random(
        seed: UInt64, from: Duration = .seconds(10), to: Duration, perMinute: Double = 6, lines: Int = 2,
        only: Set<FaultKindName>? = nil
    ) -> FaultPlan {
        precondition(from < to && perMinute > 0 && lines > 0, "a random plan needs time, a rate and lines")
        let kinds = FaultKindName.drawn.filter { only?.contains($0) ?? true }
        guard !kinds.isEmpty else { return FaultPlan() }
        var draw = FaultDraw(random: SplitMix64(seed: Deterministic.mix(seed)), lines: lines)
        var faults: [PlannedFault] = []
        var time = from.milliseconds
        let end = to.milliseconds
        while true {
            time += max(1, Int64(60_000 / perMinute * draw.random.number(in: 0.2..<1.8)))
            guard time < end else { return FaultPlan(faults) }
            let kind = draw.kind(kinds[draw.random.index(kinds.count)])
            let target = draw.target(kind.aim)
            let length = min(draw.length(), end - time)
            faults.append(
                PlannedFault(
                    at: .milliseconds(time),
                    SimulatorFault(kind, on: target, for: kind.isMomentary ? nil : .milliseconds(length))))
        }
    }
}

/// Draws the parts of random faults.
private struct FaultDraw {
    var random: SplitMix64
    let lines: Int

    /// 1 to 20 s, short ones more often.
    mutating func length() -> Int64 {
        let share = self.random.unit()
        return Int64(1_000 + 19_000 * share * share)
    }

    private mutating func time(_ range: Range<Double>) -> Duration {
        .milliseconds(Int64(self.random.number(in: range)))
    }

    private mutating func share() -> SimulatorFault.FrameChoice {
        .share(Double(1 + self.random.index(50)) / 100)
    }

    private mutating func choice() -> SimulatorFault.FrameChoice {
        self.random.chance(0.5) ? .next(1 + self.random.index(5)) : self.share()
    }

    mutating func kind(_ name: FaultKindName) -> SimulatorFault.Kind {
        switch name {
        case .drop: return .drop
        case .close:
            let codes: [UInt16] = [1000, 1001, 1008, 1011, 1012, 1013, 4000]
            return .close(code: codes[self.random.index(codes.count)], reason: "planned")
        case .refuse:
            let statuses = [403, 429, 500, 502, 503]
            return .refuse(.status(statuses[self.random.index(statuses.count)]))
        case .reset: return .refuse(.reset)
        case .freeze: return .freeze
        case .halfOpen: return .halfOpen
        case .noSnapshot: return .noSnapshot
        case .delay: return .delay(by: self.time(50..<4_000))
        case .duplicate: return .duplicate(self.share())
        case .reorder:
            return self.random.chance(0.5)
                ? .reorder(.neighbours, self.share()) : .reorder(.late(upTo: self.time(10..<2_900)), self.share())
        case .corrupt:
            let parts = SimulatorFault.Corruption.allCases
            return .corrupt(parts[self.random.index(parts.count)], self.choice())
        case .truncate: return .truncate(self.choice())
        case .cut: return .cut
        case .oversize: return .oversize(bytes: 9 << 20)
        case .wrongHash: return .wrongHash(self.choice())
        case .lose: return .lose(self.choice())
        case .restError:
            let statuses = [425, 429, 500, 502, 503]
            let status = statuses[self.random.index(statuses.count)]
            return .restError(
                status: status, retryAfter: status == 429 ? .seconds(1 + self.random.index(5)) : nil)
        case .restSlow: return .restSlow(by: self.time(100..<5_000))
        case .restHang: return .restHang
        case .restReset: return .restReset
        case .restStale: return .restStale(by: self.time(1_000..<30_000))
        case .ghostBook: return .ghostBook(age: self.time(1_000..<300_000))
        case .missingMarket: return .missingMarket(until: nil)
        case .clockSkew: return .clockSkew(by: self.time(0..<4_000) - .seconds(2))
        case .gap: return .gap
        case .recover: return .recover
        }
    }

    /// A target that the kind can use: often everybody, often one line or one token.
    mutating func target(_ aim: FaultTarget.Aim) -> FaultTarget {
        var target = FaultTarget.all
        if aim.contains(.line), self.random.chance(0.6) {
            switch self.random.index(self.lines + 2) {
            case let number where number < self.lines: target.line = .number(number)
            case self.lines: target.line = .newest
            default: target.line = .oldest
            }
        }
        if aim.contains(.asset), self.random.chance(0.4) {
            target.subject = .current(self.random.chance(0.5) ? .up : .down, series: nil)
        }
        if aim.isSuperset(of: [.clob, .gamma]) {
            switch self.random.index(3) {
            case 0: target.api = .clob
            case 1: target.api = .gamma
            default: break
            }
        }
        return target
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { self.wholeNanoseconds / 1_000_000 }
}
