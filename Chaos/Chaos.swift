import ChaosSupport
import OddsCore
import PolymarketSimulator
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `make chaos`: the fault matrix in real time and in virtual time, and random plans in virtual time.
@main struct Chaos {
    private static let usage = """
        usage: chaos matrix            every fault over real sockets, in real time (about eight minutes)
               chaos virtual           every fault in virtual time
               chaos scenario NAME LINES   one of them, with every update that was lost
               chaos day [HOURS]       quiet markets for so long (24) in virtual time
               chaos plans [N] [SEED]  N random plans in virtual time, from a seed on (1000 from 1)
               chaos plan SEED         one random plan, with all that happens
        """

    static func main() async throws {
        let words = Array(CommandLine.arguments.dropFirst())
        switch words.first {
        case "matrix": try await Self.matrix()
        case "virtual": try Self.virtual()
        case "scenario":
            guard words.count == 3, let lines = Int(words[2]),
                let scenario = ChaosScenario.matrix.first(where: { $0.name == words[1] && $0.lines == lines })
            else { return Self.refuse() }
            print(try VirtualChaos.run(scenario) { print($0) }.row)
        case "day": try Self.day(hours: words.dropFirst().first.flatMap { Int($0) } ?? 24)
        case "plans":
            try await Self.plans(
                count: words.dropFirst().first.flatMap(UInt64.init) ?? 1000,
                from: words.dropFirst(2).first.flatMap(UInt64.init) ?? 1)
        case "plan":
            guard let seed = words.dropFirst().first.flatMap(UInt64.init) else { return Self.refuse() }
            let run = try VirtualChaos.random(seed: seed) { print($0) }
            print(run.plan.faults.map { "\($0)" }.joined(separator: "\n"))
            print("wrong as live for \(run.wrongLive.secondsValue) s from \(run.wrongAt?.secondsValue ?? -1) s")
        default: Self.refuse()
        }
    }

    private static func refuse() {
        print(Self.usage)
        exit(64)
    }

    private static func finish(failures: Int) {
        guard failures > 0 else { return }
        print("\n\(failures) not as they should be")
        exit(1)
    }

    // MARK: The matrix

    /// How many scenarios run at the same time: each has its own exchange and spends its time waiting.
    private static let atOnce = 6

    private static func matrix() async throws {
        print(ChaosResult.header)
        let next = Numbers(from: 0)
        var results: [Int: ChaosResult] = [:]
        try await withThrowingTaskGroup(of: [Int: ChaosResult].self) { group in
            for _ in 0..<Self.atOnce {
                group.addTask {
                    var results: [Int: ChaosResult] = [:]
                    while true {
                        let index = Int(next.take())
                        guard index < ChaosScenario.matrix.count else { return results }
                        results[index] = try await RealChaos.run(
                            ChaosScenario.matrix[index], seed: UInt64(index + 1))
                    }
                }
            }
            for try await some in group { results.merge(some) { old, _ in old } }
        }
        let ordered = ChaosScenario.matrix.indices.compactMap { results[$0] }
        for result in ordered { print(result.row) }
        Self.finish(failures: ordered.count { !$0.complaints.isEmpty })
    }

    private static func virtual() throws {
        print(ChaosResult.header)
        var failures = 0
        for scenario in ChaosScenario.matrix {
            let result = try VirtualChaos.run(scenario)
            print(result.row)
            if !result.complaints.isEmpty { failures += 1 }
        }
        Self.finish(failures: failures)
    }

    // MARK: A quiet day

    private static func day(hours: Int) throws {
        print(
            """
            | lines | what happens | REST | alarms | connections lost | questions to REST | fresh books asked for |
            | --: | --- | --- | --: | --: | --: | --: |
            """)
        var failures = 0
        for lines in 1...2 {
            for flow in QuietDay.Flow.allCases {
                for witness in QuietDay.WitnessState.allCases {
                    var day = QuietDay(hours: hours, lines: lines, flow: flow, witness: witness)
                    try day.run()
                    if !day.alarms.isEmpty || day.disconnects > 0 { failures += 1 }
                    print(
                        "| \(lines) | \(flow.rawValue) | \(witness.rawValue) | \(day.alarms.count) | \(day.disconnects) | "
                            + "\(day.questions) | \(day.resyncs) |")
                    for alarm in day.alarms.prefix(3) { print("    \(alarm)") }
                }
            }
        }
        Self.finish(failures: failures)
    }

    // MARK: Random plans

    private static func plans(count: UInt64, from first: UInt64) async throws {
        let next = Numbers(from: first)
        var runs: [RandomRun] = []
        try await withThrowingTaskGroup(of: [RandomRun].self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var runs: [RandomRun] = []
                    while true {
                        let seed = next.take()
                        guard seed < first + count else { return runs }
                        let run = try VirtualChaos.random(seed: seed)
                        if run.wrongLive > VirtualChaos.detectionBound || run.lastTrust != .live {
                            print(
                                "seed \(seed): wrong as live for \(run.wrongLive.secondsValue) s, at the end",
                                run.lastTrust as Any)
                        }
                        runs.append(run)
                    }
                }
            }
            for try await some in group { runs += some }
        }
        let worst = runs.map(\.wrongLive).sorted()
        let failures = runs.count { $0.wrongLive > VirtualChaos.detectionBound || $0.lastTrust != .live }
        func percentile(_ share: Double) -> Double { worst[Int(Double(worst.count - 1) * share)].secondsValue }
        print(
            """
            \(runs.count) random plans, 60 s of faults each: wrong odds served as live for at most \
            \(percentile(1)) s (half of the runs \(percentile(0.5)) s, 90 % \(percentile(0.9)) s, 99 % \(percentile(0.99)) s); \
            the bound is \(VirtualChaos.detectionBound.secondsValue) s. \(failures) over it or not live again at the end.
            """)
        for run in runs.sorted(by: { $0.wrongLive > $1.wrongLive }).prefix(5) {
            print(
                "seed \(run.seed): \(run.wrongLive.secondsValue) s from \(run.wrongAt?.secondsValue ?? 0) s, live \(run.liveShare)"
            )
        }
        Self.finish(failures: failures)
    }
}

/// Hands out ascending numbers.
private final class Numbers: Sendable {
    private let next: Atomic<UInt64>
    init(from first: UInt64) { self.next = Atomic(first) }
    func take() -> UInt64 { self.next.add(1, ordering: .relaxed).oldValue }
}
