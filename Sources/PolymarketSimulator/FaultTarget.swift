/// Whom a fault hits: connections, what frames and answers are about, one of the two REST APIs, or the live data socket. Parts add up: line 0
/// and the current Up token means that token on that connection.
public struct FaultTarget: Sendable, Hashable {
    /// A connection of the market channel, found when the fault begins; the fault ends with it.
    public enum Line: Sendable, Hashable {
        /// In order of arrival among those open now and not half-open, from 0.
        case number(Int)
        /// The one that came last.
        case newest
        /// The one that came first.
        case oldest
    }

    /// One of a market's two tokens.
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// The token that wins when the price does not fall.
        case up
        /// The other one.
        case down
    }

    /// What frames and answers are about.
    public enum Subject: Sendable, Hashable {
        /// A token by its id.
        case asset(String)
        /// A token of the window that runs when the fault begins; of the first series unless one is named.
        case current(Outcome, series: String?)
        /// A token of a market.
        case outcome(Outcome, slug: String)
        /// Both tokens of a market.
        case slug(String)
        /// Every market of a series.
        case series(String)
    }

    /// Another part of the venue than the market channel.
    public enum API: String, Sendable, Hashable, CaseIterable {
        /// Books and prices.
        case clob
        /// Markets.
        case gamma
        /// The live data socket with the prices.
        case rtds
    }

    /// The connection; nil for every one, those to come too.
    public var line: Line?
    /// What frames and answers are about; nil for everything.
    public var subject: Subject?
    /// A REST API, or the live data socket; without it the market channel, and both REST APIs.
    public var api: API?

    /// A target from its parts.
    public init(line: Line? = nil, subject: Subject? = nil, api: API? = nil) {
        self.line = line
        self.subject = subject
        self.api = api
    }

    /// Everybody and everything.
    public static let all = FaultTarget()
    /// One connection, in order of arrival among those open, from 0.
    public static func line(_ number: Int) -> FaultTarget { FaultTarget(line: .number(number)) }
    /// The connection that came last.
    public static let newest = FaultTarget(line: .newest)
    /// The connection that came first.
    public static let oldest = FaultTarget(line: .oldest)
    /// A token by its id.
    public static func asset(_ id: String) -> FaultTarget { FaultTarget(subject: .asset(id)) }
    /// A token of the window that runs now.
    public static func current(_ outcome: Outcome, series: String? = nil) -> FaultTarget {
        FaultTarget(subject: .current(outcome, series: series))
    }
    /// Both tokens of a market.
    public static func slug(_ slug: String) -> FaultTarget { FaultTarget(subject: .slug(slug)) }
    /// Every market of a series.
    public static func series(_ name: String) -> FaultTarget { FaultTarget(subject: .series(name)) }
    /// The CLOB REST API.
    public static let clob = FaultTarget(api: .clob)
    /// The Gamma REST API.
    public static let gamma = FaultTarget(api: .gamma)
    /// The live data socket with the prices, every connection of it.
    public static let rtds = FaultTarget(api: .rtds)

    /// Parts of a target.
    struct Aim: OptionSet, Sendable {
        let rawValue: Int
        static let line = Aim(rawValue: 1)
        static let asset = Aim(rawValue: 2)
        static let market = Aim(rawValue: 4)
        static let clob = Aim(rawValue: 8)
        static let gamma = Aim(rawValue: 16)
        static let rtds = Aim(rawValue: 32)
    }

    /// Which parts this one has.
    var aim: Aim {
        var aim: Aim = self.line == nil ? [] : [.line]
        switch self.subject {
        case .asset, .current, .outcome: aim.insert(.asset)
        case .slug, .series: aim.insert(.market)
        case nil: break
        }
        switch self.api {
        case .clob: aim.insert(.clob)
        case .gamma: aim.insert(.gamma)
        case .rtds: aim.insert(.rtds)
        case nil: break
        }
        return aim
    }
}
