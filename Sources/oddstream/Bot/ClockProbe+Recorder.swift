import OddsCore
import OddsRecording
import RealtimeOdds

extension ClockProbe {
    /// A probe for a meter of latency, by which the offset of the clocks gets into the recording too.
    ///
    /// - Parameter recorder: told of the offset as soon as it is known; nil when nothing is recorded.
    /// - Throws: `RESTError` when the certificate authorities cannot be read.
    convenience init(
        configuration: RealtimeOddsConfiguration, clock: any StreamClock, meter: LatencyMeter, recorder: Recorder?
    ) throws(RESTError) {
        try self.init(configuration: configuration, clock: clock) {
            meter.wait(at: $0)
        } answered: { second, asked, received in
            meter.answered(second: second, asked: asked, received: received)
            guard let offset = meter.exchangeOffset(at: received.monotonic) else { return }
            recorder?.setExchangeOffset(offset)
        }
    }
}
