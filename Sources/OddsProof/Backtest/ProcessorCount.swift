internal import Foundation

/// The machine's cores, as far as this process may use them.
enum ProcessorCount {
    static var available: Int { ProcessInfo.processInfo.activeProcessorCount }
}
