import OddsCore
import Testing

/// Our check of UTF-8 against the standard library's.
@Suite struct WebSocketTextTests {
    private func isAccepted(_ bytes: [UInt8]) -> Bool {
        outcome(of: [frame(1, bytes)]).events == [.text(String(decoding: bytes, as: UTF8.self))]
    }

    private func isUTF8(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    @Test func everyPairOfBytesIsJudgedLikeTheStandardLibraryJudgesIt() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second]
                #expect(self.isAccepted(bytes) == self.isUTF8(bytes), "\(bytes)")
            }
        }
    }

    @Test func theEdgesOfLongerCharactersAreJudgedLikeTheStandardLibraryJudgesThem() {
        let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xF4, 0xFF]
        for first in UInt8(0xDF)...UInt8.max {
            for second in edges {
                for third in edges {
                    let three = [first, second, third]
                    #expect(self.isAccepted(three) == self.isUTF8(three), "\(three)")
                    for fourth in edges {
                        let four = three + [fourth]
                        #expect(self.isAccepted(four) == self.isUTF8(four), "\(four)")
                    }
                }
            }
        }
    }

    @Test func aBadByteIsFoundAtEveryPositionOfEveryLength() {
        for length in 1...150 {
            let text = [UInt8](repeating: 97, count: length)
            #expect(self.isAccepted(text))
            for position in 0..<length {
                var bad = text
                bad[position] = 0x80
                #expect(!self.isAccepted(bad), "length \(length), position \(position)")
            }
        }
    }

    @Test func charactersMayLieAnywhere() {
        for length in 0...140 {
            for character in ["é", "€", "😀"] {
                let text =
                    String(repeating: "a", count: length) + character + String(repeating: "b", count: 140 - length)
                #expect(self.isAccepted(Array(text.utf8)))
            }
        }
    }
}
