internal import OddsCore

/// Plans and faults as JSON, both ways.
enum FaultText {
    // MARK: Reading

    static func plan(_ json: [UInt8]) throws(SimulatorError) -> [PlannedFault] {
        var faults: [PlannedFault] = []
        for node in try JSONNode.values(of: json) {
            if case .array(let entries) = node.value {
                for entry in entries { faults += try Self.entry(entry) }
            } else {
                faults += try Self.entry(node)
            }
        }
        return faults
    }

    private static func entry(_ node: JSONNode) throws(SimulatorError) -> [PlannedFault] {
        var members = try FaultMembers(node, of: "an entry of a plan")
        if members.has("random"), let random = members.take("random") {
            try members.finish()
            return try Self.random(random)
        }
        let at = try members.time("at") ?? .zero
        let name = try members.word("fault")
        guard let name else {
            throw members.problem("\"fault\" is missing: one of \(FaultKindName.allowed).")
        }
        guard let kindName = FaultKindName(rawValue: name) else {
            throw members.problem("there is no fault \(Text.quoted(name)). Allowed: \(FaultKindName.allowed).")
        }
        members.subject = "the fault \(Text.quoted(name))"
        let kind = try Self.kind(kindName, &members)
        let duration = kind.isMomentary ? nil : try members.time("for")
        let aim = kind.aim
        let target = aim.isEmpty ? .all : try Self.target(&members)
        try members.finish()
        guard target.aim.isSubset(of: aim) else {
            throw members.problem("\(members.subject) cannot be aimed like that. \(Self.aims(aim))")
        }
        return [PlannedFault(at: at, SimulatorFault(kind, on: target, for: duration))]
    }

    private static func aims(_ aim: FaultTarget.Aim) -> String {
        let names: [(FaultTarget.Aim, String)] = [
            (.line, "a line"), (.asset, "an asset"), (.market, "a slug or a series"), (.clob, "\"clob\""),
            (.gamma, "\"gamma\""), (.rtds, "\"rtds\""),
        ]
        return "\"on\" may name " + names.filter { aim.contains($0.0) }.map(\.1).joined(separator: ", ") + "."
    }

    private static func kind(
        _ name: FaultKindName, _ members: inout FaultMembers
    ) throws(SimulatorError) -> SimulatorFault.Kind {
        switch name {
        case .drop: return .drop
        case .close:
            let code = try members.integer("code", in: 1000...4999) ?? 1001
            guard WebSocketCloseStatus.isSendable(UInt16(code)) else {
                throw members.problem(
                    "\"code\": \(code) must not be sent. Allowed are 1000 to 1003, 1007 to 1014, 3000 to 4999.")
            }
            return .close(code: UInt16(code), reason: try members.word("reason") ?? "")
        case .refuse: return .refuse(.status(try members.integer("status", in: 400...599) ?? 503))
        case .reset: return .refuse(.reset)
        case .freeze: return .freeze
        case .halfOpen: return .halfOpen
        case .noSnapshot: return .noSnapshot
        case .delay: return .delay(by: try members.needed("by"))
        case .duplicate: return .duplicate(try members.choice(.every))
        case .reorder:
            let late = try members.time("late")
            return .reorder(late.map { .late(upTo: $0) } ?? .neighbours, try members.choice(.every))
        case .corrupt:
            let part = try members.oneOf("part", SimulatorFault.Corruption.self) ?? .syntax
            return .corrupt(part, try members.choice(.next(1)))
        case .truncate: return .truncate(try members.choice(.next(1)))
        case .cut: return .cut
        // More than ours takes, which stops at 8 MiB, and less than the exchange keeps for a slow reader.
        case .oversize: return .oversize(bytes: try members.integer("bytes", in: 64...(64 << 20)) ?? 9 << 20)
        case .wrongHash: return .wrongHash(try members.choice(.every))
        case .lose: return .lose(try members.choice(.next(1)))
        case .restError:
            return .restError(
                status: try members.integer("status", in: 400...599) ?? 503,
                retryAfter: try members.time("retry_after"))
        case .restSlow: return .restSlow(by: try members.needed("by"))
        case .restHang: return .restHang
        case .restReset: return .restReset
        case .restStale: return .restStale(by: try members.needed("by", atMost: .seconds(60)))
        case .ghostBook: return .ghostBook(age: try members.time("age") ?? .seconds(60))
        case .missingMarket: return .missingMarket(until: try members.time("until", isSigned: true))
        case .clockSkew: return .clockSkew(by: try members.needed("by", isSigned: true))
        case .gap: return .gap
        case .recover: return .recover
        }
    }

    private static func target(_ members: inout FaultMembers) throws(SimulatorError) -> FaultTarget {
        guard let node = members.take("on") else { return .all }
        if case .text(let text) = node.value {
            guard let target = Self.target(text) else {
                throw SimulatorError(
                    .plan,
                    "line \(node.line): \"on\": \(Text.quoted(text)) is nobody. Allowed: all, newest, oldest, line N, up, down, a token id, a series, a slug, clob, gamma, rtds, or an object with line, asset, series, slug, api."
                )
            }
            return target
        }
        var parts = try FaultMembers(node, of: "\"on\"")
        var target = FaultTarget(api: try parts.oneOf("api", FaultTarget.API.self))
        if let line = parts.take("line") {
            switch line.value {
            case .text("newest"): target.line = .newest
            case .text("oldest"): target.line = .oldest
            case .number(let text):
                guard let number = Int(text), (0...999).contains(number) else { fallthrough }
                target.line = .number(number)
            default:
                throw SimulatorError(
                    .plan,
                    "line \(line.line): \"line\" must be a number from 0, \"newest\" or \"oldest\", not \(line.kind).")
            }
        }
        let asset = try parts.word("asset")
        let series = try parts.word("series")
        let slug = try parts.word("slug")
        try parts.finish()
        switch (asset.flatMap(FaultTarget.Outcome.init), asset, series, slug) {
        case (nil, nil, nil, nil): break
        case (nil, nil, let series?, nil): target.subject = .series(series)
        case (nil, nil, nil, let slug?): target.subject = .slug(slug)
        case (let outcome?, _, let series, nil): target.subject = .current(outcome, series: series)
        case (let outcome?, _, nil, let slug?): target.subject = .outcome(outcome, slug: slug)
        case (nil, let asset?, nil, nil) where Self.isAsset(asset): target.subject = .asset(asset)
        default:
            throw parts.problem(
                "\"on\" must name one thing: a token id as \"asset\", \"up\" or \"down\" with a series or a slug, a series, or a slug."
            )
        }
        return target
    }

    private static func isAsset(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 78 && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    private static func target(_ text: String) -> FaultTarget? {
        switch text {
        case "all": return .all
        case "newest": return .newest
        case "oldest": return .oldest
        case "clob": return .clob
        case "gamma": return .gamma
        case "rtds": return .rtds
        case "up": return .current(.up)
        case "down": return .current(.down)
        case let text where text.hasPrefix("line "):
            return Int(text.dropFirst(5)).flatMap { (0...999).contains($0) ? .line($0) : nil }
        case let text where Self.isAsset(text): return .asset(text)
        case let text where (try? MarketSeries(text)) != nil: return .series(text)
        case let text where text.contains("-"): return .slug(text)
        default: return nil
        }
    }

    private static func random(_ node: JSONNode) throws(SimulatorError) -> [PlannedFault] {
        var members = try FaultMembers(node, of: "\"random\"")
        let seed = try members.integer("seed", in: 0...Int.max) ?? 1
        let rate = try members.number("faults_per_minute", in: 0.01...600) ?? 6
        let from = try members.time("from") ?? .seconds(10)
        let to = try members.needed("to")
        let lines = try members.integer("lines", in: 1...16) ?? 2
        var only: Set<FaultKindName>?
        if let list = members.take("only") {
            guard case .array(let nodes) = list.value, !nodes.isEmpty else {
                throw members.problem("\"only\" must be an array of faults.")
            }
            var names: Set<FaultKindName> = []
            for node in nodes {
                guard case .text(let text) = node.value, let name = FaultKindName(rawValue: text), name.isDrawn else {
                    throw SimulatorError(
                        .plan,
                        "line \(node.line): \"only\" cannot hold \(node.kind). Allowed: \(FaultKindName.drawn.map(\.rawValue).joined(separator: ", "))."
                    )
                }
                names.insert(name)
            }
            only = names
        }
        try members.finish()
        guard from < to else { throw members.problem("\"from\" must lie before \"to\".") }
        return FaultPlan.random(
            seed: UInt64(seed), from: from, to: to, perMinute: rate, lines: lines, only: only
        ).faults
    }

    // MARK: Writing

    /// A planned fault as an entry of a plan.
    static func json(_ planned: PlannedFault) -> String {
        var members = planned.at > .zero ? ["\"at\":\"\(PlanTime.text(planned.at))\""] : []
        members += Self.members(planned.fault)
        return "{" + members.joined(separator: ",") + "}"
    }

    /// The members of a fault, without its time.
    static func members(_ fault: SimulatorFault) -> [String] {
        var members = ["\"fault\":\"\(fault.kind.name.rawValue)\""] + Self.parameters(fault.kind)
        if let target = Self.json(fault.target) { members.append("\"on\":\(target)") }
        if let duration = fault.duration, !fault.kind.isMomentary {
            members.append("\"for\":\"\(PlanTime.text(duration))\"")
        }
        return members
    }

    private static func parameters(_ kind: SimulatorFault.Kind) -> [String] {
        func time(_ key: String, _ time: Duration?) -> [String] {
            time.map { ["\"\(key)\":\"\(PlanTime.text($0))\""] } ?? []
        }
        switch kind {
        case .drop, .refuse(.reset), .freeze, .halfOpen, .noSnapshot, .cut, .restHang, .restReset, .gap, .recover:
            return []
        case .close(let code, let reason): return ["\"code\":\(code)", "\"reason\":\(Text.quoted(reason))"]
        case .refuse(.status(let status)): return ["\"status\":\(status)"]
        case .delay(let by), .restSlow(let by), .restStale(let by), .clockSkew(let by): return time("by", by)
        case .duplicate(let choice), .truncate(let choice), .wrongHash(let choice), .lose(let choice):
            return Self.choice(choice)
        case .reorder(.neighbours, let choice): return Self.choice(choice)
        case .reorder(.late(let limit), let choice): return time("late", limit) + Self.choice(choice)
        case .corrupt(let part, let choice): return ["\"part\":\"\(part.rawValue)\""] + Self.choice(choice)
        case .oversize(let bytes): return ["\"bytes\":\(bytes)"]
        case .restError(let status, let retryAfter): return ["\"status\":\(status)"] + time("retry_after", retryAfter)
        case .ghostBook(let age): return time("age", age)
        case .missingMarket(let until): return time("until", until)
        }
    }

    private static func choice(_ choice: SimulatorFault.FrameChoice) -> [String] {
        switch choice {
        case .every: ["\"share\":1"]
        case .share(let share): ["\"share\":\(share)"]
        case .next(let count): ["\"frames\":\(count)"]
        }
    }

    private static func json(_ target: FaultTarget) -> String? {
        var members: [String] = []
        switch target.line {
        case .number(let number): members.append("\"line\":\(number)")
        case .newest: members.append(#""line":"newest""#)
        case .oldest: members.append(#""line":"oldest""#)
        case nil: break
        }
        switch target.subject {
        case .asset(let id): members.append("\"asset\":\(Text.quoted(id))")
        case .current(let outcome, let series):
            members.append("\"asset\":\"\(outcome.rawValue)\"")
            if let series { members.append("\"series\":\(Text.quoted(series))") }
        case .outcome(let outcome, let slug):
            members.append("\"asset\":\"\(outcome.rawValue)\",\"slug\":\(Text.quoted(slug))")
        case .slug(let slug): members.append("\"slug\":\(Text.quoted(slug))")
        case .series(let series): members.append("\"series\":\(Text.quoted(series))")
        case nil: break
        }
        if let api = target.api { members.append("\"api\":\"\(api.rawValue)\"") }
        return members.isEmpty ? nil : "{" + members.joined(separator: ",") + "}"
    }
}

/// The members of one object, taken out one by one; what is left over is a mistake.
struct FaultMembers {
    private let line: Int
    /// What the object is, for messages.
    var subject: String
    private var left: [(key: String, line: Int, value: JSONNode)]
    private var known: [String] = []

    init(_ node: JSONNode, of subject: String) throws(SimulatorError) {
        guard case .object(let members) = node.value else {
            throw SimulatorError(.plan, "line \(node.line): \(subject) must be an object, not \(node.kind).")
        }
        self.line = node.line
        self.subject = subject
        self.left = members
    }

    func problem(_ text: String) -> SimulatorError { SimulatorError(.plan, "line \(self.line): \(text)") }

    /// Complains about the first key that means nothing here.
    func finish() throws(SimulatorError) {
        guard let first = self.left.first else { return }
        throw SimulatorError(
            .plan,
            "line \(first.line): \(self.subject) has no key \(Text.quoted(first.key)). Allowed: \(self.known.joined(separator: ", "))."
        )
    }

    func has(_ key: String) -> Bool { self.left.contains { $0.key == key } }

    mutating func take(_ key: String) -> JSONNode? {
        self.known.append(key)
        guard let index = self.left.firstIndex(where: { $0.key == key }) else { return nil }
        return self.left.remove(at: index).value
    }

    private func wrong(_ key: String, _ node: JSONNode, _ allowed: String) -> SimulatorError {
        SimulatorError(.plan, "line \(node.line): \"\(key)\" must be \(allowed), not \(node.kind).")
    }

    mutating func word(_ key: String) throws(SimulatorError) -> String? {
        guard let node = self.take(key) else { return nil }
        guard case .text(let text) = node.value else { throw self.wrong(key, node, "a text") }
        return text
    }

    mutating func oneOf<Word: RawRepresentable & CaseIterable>(
        _ key: String, _ words: Word.Type
    ) throws(SimulatorError) -> Word? where Word.RawValue == String {
        guard let node = self.take(key) else { return nil }
        guard case .text(let text) = node.value, let word = Word(rawValue: text) else {
            throw self.wrong(key, node, Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or "))
        }
        return word
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(SimulatorError) -> Int? {
        guard let node = self.take(key) else { return nil }
        guard case .number(let text) = node.value, let number = Int(text), range.contains(number) else {
            let bounds =
                range.upperBound == .max
                ? "from \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            throw self.wrong(key, node, "a whole number \(bounds)")
        }
        return number
    }

    mutating func number(_ key: String, in range: ClosedRange<Double>) throws(SimulatorError) -> Double? {
        guard let node = self.take(key) else { return nil }
        guard case .number(let text) = node.value, let number = Double(text), range.contains(number) else {
            throw self.wrong(key, node, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func time(
        _ key: String, atMost limit: Duration? = nil, isSigned: Bool = false
    ) throws(SimulatorError) -> Duration? {
        guard let node = self.take(key) else { return nil }
        let allowed =
            PlanTime.allowed + (limit.map { " of at most \(PlanTime.text($0))" } ?? "")
            + (isSigned ? ", with a minus sign for the other direction" : "")
        guard case .text(let text) = node.value, let time = PlanTime.parse(text), isSigned || time >= .zero,
            limit.map({ time <= $0 }) ?? true
        else { throw self.wrong(key, node, allowed) }
        return time
    }

    mutating func needed(
        _ key: String, atMost limit: Duration? = nil, isSigned: Bool = false
    ) throws(SimulatorError) -> Duration {
        guard let time = try self.time(key, atMost: limit, isSigned: isSigned) else {
            throw self.problem("\"\(key)\" is missing in \(self.subject): \(PlanTime.allowed).")
        }
        return time
    }

    mutating func choice(_ fallback: SimulatorFault.FrameChoice) throws(SimulatorError) -> SimulatorFault.FrameChoice {
        let frames = try self.integer("frames", in: 1...1_000_000)
        let share = try self.number("share", in: 0...1)
        switch (frames, share) {
        case (nil, nil): return fallback
        case (let frames?, nil): return .next(frames)
        case (nil, let share?): return share == 1 ? .every : .share(share)
        case (_?, _?): throw self.problem("\"frames\" and \"share\" exclude each other in \(self.subject).")
        }
    }
}
