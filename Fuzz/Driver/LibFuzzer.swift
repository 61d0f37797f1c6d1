/// One input; the result is 0, or -1 to keep the input out of the corpus.
package typealias FuzzTest = @convention(c) (_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt

// Part of LLVM's fuzzer runtime, which `-sanitize=fuzzer` links; it has no Swift module. Three pointers go in and an int
// comes out, which the calling conventions of Swift and C pass in the same registers on the platforms we build for.
@_silgen_name("LLVMFuzzerRunDriver")
private func llvmFuzzerRunDriver(
    _ argumentCount: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>, _ test: FuzzTest
) -> CInt

/// Runs `test` with inputs made by libFuzzer, under the options of this process's command line.
/// - Returns: the status to exit with.
package func runFuzzer(_ test: FuzzTest) -> CInt {
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    return llvmFuzzerRunDriver(&count, &arguments, test)
}

/// A generator for choices that follow from an input.
package struct FuzzChoices: RandomNumberGenerator {
    private var state: UInt64
    package init(seed: UInt64) { self.state = seed | 1 }
    package mutating func next() -> UInt64 {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return self.state
    }
}

/// Copies bytes into memory of exactly their size, so that the address sanitizer sees a read beyond either end.
package func withExactCopy<Result>(
    of bytes: UnsafeRawBufferPointer, _ body: (UnsafeMutableRawBufferPointer) -> Result
) -> Result {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyMemory(from: bytes)
    return body(copy)
}

/// A promise that every input must see kept. Unlike a precondition it says in a release build, too, which one was broken.
package func promise(_ isKept: Bool, _ whenBroken: @autoclosure () -> String) {
    if !isKept { fatalError(whenBroken()) }
}
