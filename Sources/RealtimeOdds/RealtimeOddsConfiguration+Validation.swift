import OddsCore

extension RealtimeOddsConfiguration {
    /// Refuses what cannot work, with the name of the value.
    func validate() throws(RealtimeOddsError) {
        func refuse(_ message: String) -> RealtimeOddsError { RealtimeOddsError(.invalidConfiguration, message) }
        guard !self.markets.isEmpty else {
            throw refuse("markets is empty: name at least one series, slug, condition id or list of assets")
        }
        guard (1...FeedArbiter.maximumLines).contains(self.lines) else {
            throw refuse("lines is \(self.lines): use 1 to \(FeedArbiter.maximumLines)")
        }
        guard (1024...(1 << 30)).contains(self.maximumMessageSize) else {
            throw refuse("maximumMessageSize is \(self.maximumMessageSize): use 1 KiB to 1 GiB, in bytes")
        }
        guard (2...500).contains(self.maximumAssetsPerConnection) else {
            throw refuse(
                "maximumAssetsPerConnection is \(self.maximumAssetsPerConnection): use 2 to 500, the venue's limit")
        }
        guard (0...16).contains(self.windowsAhead) else {
            throw refuse("windowsAhead is \(self.windowsAhead): use 0 to 16")
        }
        let durations: [(String, Duration)] = [
            ("connectTimeout", self.connectTimeout), ("heartbeatInterval", self.heartbeatInterval),
            ("pongTimeout", self.pongTimeout), ("snapshotTimeout", self.snapshotTimeout),
            ("requestTimeout", self.requestTimeout),
        ]
        for (name, value) in durations where value < .milliseconds(10) || value > .seconds(3600) {
            throw refuse("\(name) is \(value): use 10 ms to 1 h")
        }
        guard self.renewalInterval == .zero || self.renewalInterval >= .seconds(1),
            self.renewalInterval <= .seconds(86_400)
        else {
            throw refuse("renewalInterval is \(self.renewalInterval): use 1 s to 24 h, or zero for never")
        }
        guard self.pollInterval >= .milliseconds(100), self.pollInterval <= .seconds(3600) else {
            throw refuse("pollInterval is \(self.pollInterval): use 100 ms to 1 h")
        }
        guard (0...1000).contains(self.depthTicks) else {
            throw refuse("depthTicks is \(self.depthTicks): use 0 to 1000")
        }
        for case .assets(let assets) in self.markets {
            guard !assets.isEmpty, assets.allSatisfy({ !$0.rawValue.isEmpty }) else {
                throw refuse("assets has an empty entry: name token ids, two of each market")
            }
        }
    }

    /// The session's part of the configuration.
    var sessionLimits: FeedSession.Limits {
        FeedSession.Limits(
            heartbeatInterval: self.heartbeatInterval, pongTimeout: self.pongTimeout,
            snapshotTimeout: self.snapshotTimeout, healthyAfter: self.healthyAfter, backoff: self.backoff)
    }

    /// The discovery's part of the configuration.
    var marketSchedule: MarketSchedule {
        var schedule = MarketSchedule()
        schedule.windowsAhead = self.windowsAhead
        schedule.subscribeAhead = self.subscribeAhead
        schedule.keepAfterEnd = self.keepAfterEnd
        return schedule
    }
}
