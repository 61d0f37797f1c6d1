import OddsCore
import Testing

@Suite struct MarketChannelEncoderTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func messagesAreSpelledAsTheVenueWantsThem() {
        #expect(self.text(MarketChannelEncoder.ping) == "PING")
        #expect(
            self.text(MarketChannelEncoder.initialSubscription(["12", "34"]))
                == #"{"type":"market","assets_ids":["12","34"],"custom_feature_enabled":true,"initial_dump":true,"level":2}"#
        )
        #expect(
            self.text(MarketChannelEncoder.subscribe(["12"]))
                == #"{"operation":"subscribe","assets_ids":["12"],"custom_feature_enabled":true}"#)
        #expect(
            self.text(MarketChannelEncoder.unsubscribe(["12", "34"]))
                == #"{"operation":"unsubscribe","assets_ids":["12","34"]}"#)
        #expect(self.text(MarketChannelEncoder.unsubscribe([])) == #"{"operation":"unsubscribe","assets_ids":[]}"#)
    }

    @Test func noTokenCanBreakOutOfItsString() {
        #expect(
            self.text(MarketChannelEncoder.unsubscribe(["a\"]}\\\n"]))
                == #"{"operation":"unsubscribe","assets_ids":["a\"]}\\"]}"#)
    }
}
