import ChaosSupport
import Foundation
import OddsCore
import OddsTestSupport
import Testing

/// Every fault with one line and with two, in virtual time.
@Suite(.longWork) struct FaultMatrixTests {
    @Test(arguments: ChaosScenario.matrix.indices)
    func faultIsNoticedAndSurvived(_ index: Int) throws {
        let result = try VirtualChaos.run(ChaosScenario.matrix[index])
        if let path = ProcessInfo.processInfo.environment["ODDSTREAM_CHAOS_TABLE"] {
            let line = Data((result.row + "\n").utf8)
            let file = try #require(FileHandle(forWritingAtPath: path), "ODDSTREAM_CHAOS_TABLE names no file")
            try file.seekToEnd()
            try file.write(contentsOf: line)
        }
        #expect(result.complaints == [], "\(result.row)")
    }
}
