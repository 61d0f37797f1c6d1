/// Finds names that somebody may have meant.
enum NearNames {
    /// The names most like the one that was given, the nearest first; names that begin with it, or it with them, count as
    /// near. Names that share too little are left out.
    static func nearest(to name: String, among names: [String], limit: Int) -> [String] {
        let given = Array(name.lowercased().utf8)
        let rated = names.enumerated().compactMap { place, candidate -> (distance: Int, place: Int, name: String)? in
            let other = Array(candidate.lowercased().utf8)
            if !given.isEmpty, other.starts(with: given) || self.contains(other, given) { return (0, place, candidate) }
            let limit = max(given.count, other.count) / 2
            // As many letters as one is longer by must be put in at least: names of any length may be asked for.
            guard abs(given.count - other.count) <= limit else { return nil }
            let distance = self.distance(given, other)
            return distance <= limit ? (distance, place, candidate) : nil
        }
        return rated.sorted { ($0.distance, $0.place) < ($1.distance, $1.place) }.prefix(max(0, limit)).map(\.name)
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count >= 3, part.count <= text.count else { return false }
        return (0...(text.count - part.count)).contains { text[$0..<($0 + part.count)].elementsEqual(part) }
    }

    /// How many letters must be changed, put in or taken out.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (index, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in b.enumerated() {
                let change = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
