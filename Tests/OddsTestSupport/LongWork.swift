public import Testing

/// Tests that compute for seconds without ever waiting take turns, so that the tests beside them, which wait for sockets
/// and clocks on the same few threads, go on meanwhile.
public struct LongWork: TestTrait, SuiteTrait, TestScoping {
    /// Each test of a suite takes its own turn.
    public var isRecursive: Bool { true }

    /// Waits for its turn.
    @concurrent
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        // A suite is no work of its own.
        guard testCase != nil else { return try await function() }
        await Turns.shared.take()
        let result: Result<Void, any Error>
        do { result = .success(try await function()) } catch { result = .failure(error) }
        await Turns.shared.give()
        try result.get()
    }

    private actor Turns {
        static let shared = Turns()
        private var isTaken = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func take() async {
            guard self.isTaken else { return self.isTaken = true }
            await withCheckedContinuation { self.waiting.append($0) }
        }

        func give() {
            if self.waiting.isEmpty { self.isTaken = false } else { self.waiting.removeFirst().resume() }
        }
    }
}

extension Trait where Self == LongWork {
    /// One at a time.
    public static var longWork: Self { LongWork() }
}
