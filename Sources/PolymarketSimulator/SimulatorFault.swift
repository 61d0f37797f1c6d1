/// Misbehaviour on cue: what goes wrong, for whom and for how long; told to a running simulator with `inject`, with a
/// `FaultPlan`, or over HTTP.
public struct SimulatorFault: Sendable, Hashable {
    /// How a new connection to the market channel is turned away.
    public enum Refusal: Sendable, Hashable {
        /// The connection is reset.
        case reset
        /// The upgrade is answered with an HTTP status, such as 429 or 503.
        case status(Int)
    }

    /// Which frames of data a fault touches, counted for each connection by itself.
    public enum FrameChoice: Sendable, Hashable {
        /// Every one.
        case every
        /// Each with this chance, from 0 to 1.
        case share(Double)
        /// The next so many to each connection that is open when the fault begins; then the fault is over.
        case next(Int)
    }

    /// What of a frame is spoiled.
    public enum Corruption: String, Sendable, Hashable, CaseIterable {
        /// A byte that holds the JSON together: the frame cannot be read.
        case syntax
        /// A byte, so that the text is no UTF-8.
        case encoding
        /// A digit of a size in a book or a price change: the frame can be read and is wrong, and only the hash tells.
        case size
    }

    /// How frames leave their order.
    public enum Reordering: Sendable, Hashable {
        /// A frame changes places with the one behind it; one with nobody behind it is a second late.
        case neighbours
        /// A frame is late by up to this time, and others overtake it: what the venue does, by up to 2.9 s.
        case late(upTo: Duration)
    }

    /// What goes wrong.
    public enum Kind: Sendable, Hashable {
        /// Connections are closed without a close frame. Over at once.
        case drop
        /// Connections are closed with a close frame. Over at once.
        case close(code: UInt16, reason: String)
        /// New connections to the market channel are turned away.
        case refuse(Refusal)
        /// Sockets stay open and `PING` is answered, but no data comes, on new connections neither; what would have been
        /// sent is lost. Of an asset: its entries, books, trades and best prices do not come, and no book when it is
        /// subscribed anew.
        case freeze
        /// Nothing is sent, not even `PONG`, and nothing is read, on the connections open when it begins.
        case halfOpen
        /// A subscription gets no first book.
        case noSnapshot
        /// Everything on a connection, `PONG` too, is this late and keeps its order.
        case delay(by: Duration)
        /// Frames of data are sent twice.
        case duplicate(FrameChoice)
        /// Frames of data leave their order.
        case reorder(Reordering, FrameChoice)
        /// Frames of data are spoiled.
        case corrupt(Corruption, FrameChoice)
        /// Frames of data come as their first half: the messages are whole, their text is not.
        case truncate(FrameChoice)
        /// The TCP connection ends in the middle of its next frame of data.
        case cut
        /// One text frame of this many bytes is sent. Over at once.
        case oversize(bytes: Int)
        /// The hashes in frames of data are wrong, the data is right; of the CLOB, those in its REST books.
        case wrongHash(FrameChoice)
        /// Frames of data are silently not sent.
        case lose(FrameChoice)
        /// REST requests are answered with a status and, when there is a time, a `Retry-After` in whole seconds.
        case restError(status: Int, retryAfter: Duration?)
        /// REST answers are this late.
        case restSlow(by: Duration)
        /// REST requests are never answered.
        case restHang
        /// REST connections are reset when they ask.
        case restReset
        /// The CLOB's books and prices are this old, to the second, and at most a minute.
        case restStale(by: Duration)
        /// The CLOB's `/book` and `/books` answer 0.01/0.99 with a stamp this old, while `/price` stays right.
        case ghostBook(age: Duration)
        /// Gamma does not know markets: none while the fault lasts, or each until this long after its window's start
        /// (negative: before it).
        case missingMarket(until: Duration?)
        /// The venue's clock is ahead by this much (negative: behind): stamps, the hashes over them, and `/time`.
        case clockSkew(by: Duration)
        /// The live data socket has no prices of the seconds while it lasts, neither new nor in a history.
        case gap
        /// Everything that lasts ends now, and what was planned does not come. Over at once.
        case recover
    }

    /// What goes wrong.
    public var kind: Kind
    /// For whom. What means nothing for a kind is ignored.
    public var target: FaultTarget
    /// For how long; nil until `recover`. Means nothing for what is over at once.
    public var duration: Duration?

    /// A fault from its parts.
    public init(_ kind: Kind, on target: FaultTarget = .all, for duration: Duration? = nil) {
        self.kind = kind
        self.target = target
        self.duration = duration
    }

    /// The same fault for somebody else.
    public func on(_ target: FaultTarget) -> SimulatorFault {
        SimulatorFault(self.kind, on: target, for: self.duration)
    }
}

extension SimulatorFault {
    /// Every connection of the market channel is closed without a close frame.
    public static let drop = SimulatorFault(.drop)
    /// New connections to the market channel are turned away for a while.
    public static func refuse(_ refusal: Refusal, for duration: Duration?) -> SimulatorFault {
        SimulatorFault(.refuse(refusal), for: duration)
    }
    /// No data comes, on new connections neither, for a while or until `recover`.
    public static func freeze(for duration: Duration?) -> SimulatorFault { SimulatorFault(.freeze, for: duration) }
    /// The next frame of data to each connection is cut in half: the change it carried is lost.
    public static let malformedFrame = SimulatorFault(.truncate(.next(1)))
    /// Every connection gets one text frame of this many bytes.
    public static func oversizeFrame(bytes: Int) -> SimulatorFault { SimulatorFault(.oversize(bytes: bytes)) }
    /// Everything that lasts ends now.
    public static let recover = SimulatorFault(.recover)
}

extension SimulatorFault.Kind {
    /// Whether it happens at one moment and then is over.
    var isMomentary: Bool {
        switch self {
        case .drop, .close, .oversize, .recover: true
        case .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .duplicate, .reorder, .corrupt, .truncate, .cut,
            .wrongHash, .lose, .restError, .restSlow, .restHang, .restReset, .restStale, .ghostBook, .missingMarket,
            .clockSkew, .gap:
            false
        }
    }

    /// Which frames it touches; nil for a fault that is not about frames of data.
    var choice: SimulatorFault.FrameChoice? {
        switch self {
        case .duplicate(let choice), .reorder(_, let choice), .corrupt(_, let choice), .truncate(let choice),
            .wrongHash(let choice), .lose(let choice):
            choice
        case .cut: .next(1)
        case .drop, .close, .refuse, .freeze, .halfOpen, .noSnapshot, .delay, .oversize, .restError, .restSlow,
            .restHang, .restReset, .restStale, .ghostBook, .missingMarket, .clockSkew, .gap, .recover:
            nil
        }
    }

    /// What of a target it can use.
    var aim: FaultTarget.Aim {
        switch self {
        case .clockSkew, .recover: []
        case .refuse, .gap: [.rtds]
        case .drop, .close, .halfOpen, .delay, .cut, .oversize: [.line, .rtds]
        case .noSnapshot: [.line, .asset, .market]
        case .freeze, .duplicate, .reorder, .corrupt, .truncate, .lose: [.line, .asset, .market, .rtds]
        case .wrongHash: [.line, .asset, .market, .clob]
        case .restError, .restSlow, .restHang, .restReset: [.clob, .gamma]
        case .restStale, .ghostBook: [.asset, .market, .clob]
        case .missingMarket: [.market, .gamma]
        }
    }
}
