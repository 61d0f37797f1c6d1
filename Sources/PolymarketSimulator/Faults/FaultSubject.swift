/// What a fault is about, with names looked up.
enum FaultSubject: Sendable, Hashable {
    case everything
    case assets(Set<String>)
    case series(String)

    /// Whether it is about an asset, of that series when the venue knows it.
    func covers(_ asset: String, series: String?) -> Bool {
        switch self {
        case .everything: true
        case .assets(let assets): assets.contains(asset)
        case .series(let name): series == name
        }
    }
}

/// A frame of data on its way.
struct DataFrame: Sendable {
    var bytes: [UInt8]
    /// What it tells of; empty for a broadcast.
    var assets: [String]
}
