import Logging
import OddsCore
import OddsServer
import OddsRecording
import PolymarketSimulator
import RealtimeOdds

extension Settings {
    /// The streamer's configuration, without its markets.
    func streamer() throws(ConfigurationError) -> RealtimeOddsConfiguration {
        var configuration = RealtimeOddsConfiguration()
        configuration.pollInterval = self.time(.pollInterval) ?? configuration.pollInterval
        configuration.renewalInterval = self.timeOrZero(.renewEvery) ?? configuration.renewalInterval
        configuration.lines = self.integer(.lines) ?? configuration.lines
        configuration.marketWebSocket = self.text(.marketWS) ?? configuration.marketWebSocket
        configuration.clobREST = self.text(.clobREST) ?? configuration.clobREST
        configuration.gammaREST = self.text(.gammaREST) ?? configuration.gammaREST
        configuration.certificateAuthorityFile = self.text(.tlsCA)
        // Drawn here, so that a recording can name it: a replay waits as long between attempts as the run did.
        configuration.seed = UInt64.random(in: .min ... .max)
        return configuration
    }

    /// Which of the sources odds are taken from.
    var source: OddsSourceKind { self.text(.source).flatMap { OddsSourceKind(rawValue: $0) } ?? .stream }

    /// The source that is to run: the stream, or the poller in its place.
    ///
    /// - Parameters:
    ///   - observer: sees every applied message of a stream; the poller has none.
    ///   - marketObserver: sees every published change.
    ///   - tap: hears everything raw.
    func liveSource(
        _ configuration: RealtimeOddsConfiguration, logger: Logger, observer: (any AppliedMessageObserver)? = nil,
        marketObserver: (any MarketObserver)? = nil, tap: (any FeedTap)? = nil
    ) throws -> any LiveOddsSource {
        switch self.source {
        case .stream:
            try RealtimeOddsStreamer(
                configuration: configuration, logger: logger, observer: observer, marketObserver: marketObserver,
                tap: tap)
        case .poller:
            try MarketOddsPoller(
                configuration: configuration, logger: logger, marketObserver: marketObserver, tap: tap)
        }
    }

    /// Whether the outcome of markets may have to be asked for.
    var needsOutcomes: Bool { !self.flag(.noTrading) }

    /// Where the API listens.
    var server: OddsServerConfiguration {
        var configuration = OddsServerConfiguration()
        configuration.host = self.text(.httpHost) ?? configuration.host
        configuration.port = self.integer(.httpPort) ?? configuration.port
        configuration.version = programVersion
        return configuration
    }

    /// The simulated exchange; `series` when none is named.
    func simulator(series fallback: String) throws(ConfigurationError) -> SimulatorConfiguration {
        var configuration = SimulatorConfiguration()
        configuration.series = try self.series(default: fallback)
        configuration.host = self.text(.host) ?? configuration.host
        configuration.marketPort = self.integer(.port) ?? configuration.marketPort
        configuration.gammaPort = self.integer(.gammaPort) ?? configuration.gammaPort
        configuration.rtdsPort = self.integer(.rtdsPort) ?? configuration.rtdsPort
        configuration.seed = self.integer(.seed).map { UInt64($0) } ?? configuration.seed
        switch (self.text(.tlsCertificate), self.text(.tlsKey)) {
        case (let certificate?, let key?):
            configuration.tls = SimulatorConfiguration.TLS(certificateFile: certificate, keyFile: key)
        case (nil, nil): break
        case (_?, nil), (nil, _?):
            throw ConfigurationError("--tls-cert and --tls-key belong together: give both or neither.")
        }
        if let tape = self.text(.tape) {
            configuration.tape = SimulatorConfiguration.Tape(
                RecordedFeed(path: tape),
                speed: self.text(.speed) == "max" ? .infinity : self.decimal(.speed) ?? 1)
        } else if self.text(.speed) != nil {
            throw ConfigurationError("--speed is the speed of a tape: name one with --tape FILE.")
        }
        return configuration
    }

    /// How much is logged; commands that own the screen say less by themselves.
    func logLevel(default fallback: Logger.Level) -> Logger.Level {
        self.text(.logLevel).flatMap { Logger.Level(rawValue: $0) } ?? fallback
    }
}

extension RealtimeOddsConfiguration {
    /// The series among the markets.
    var series: [MarketSeries] {
        self.markets.compactMap { if case .series(let series) = $0 { series } else { nil } }
    }
}

/// Where odds come from.
enum OddsSourceKind: String, CaseIterable, Sendable {
    /// The market channel's lines.
    case stream
    /// REST alone: the original poller.
    case poller
}
