// How the values are stored: numbers of a book in the venue's own spelling, times as whole units.

extension Price: Codable {
    /// Reads the venue's spelling (`"0.71"`).
    public init(from decoder: any Decoder) throws {
        self = try decoder.text { Price($0) }
    }
    /// Writes the venue's spelling.
    public func encode(to encoder: any Encoder) throws { try encoder.write(self.description) }
}

extension Size: Codable {
    /// Reads the venue's spelling (`"57.5"`).
    public init(from decoder: any Decoder) throws {
        self = try decoder.text { Size($0) }
    }
    /// Writes the venue's spelling.
    public func encode(to encoder: any Encoder) throws { try encoder.write(self.description) }
}

extension MarketID: Codable {
    /// Reads the venue's text.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }
    /// Writes the venue's text.
    public func encode(to encoder: any Encoder) throws { try encoder.write(self.rawValue) }
}

extension AssetID: Codable {
    /// Reads the venue's text.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }
    /// Writes the venue's text.
    public func encode(to encoder: any Encoder) throws { try encoder.write(self.rawValue) }
}

extension Side: Codable {
    /// Reads `"yes"` or `"no"`.
    public init(from decoder: any Decoder) throws {
        self = try decoder.text { $0 == "yes" ? .yes : $0 == "no" ? .no : nil }
    }
    /// Writes `"yes"` or `"no"`.
    public func encode(to encoder: any Encoder) throws { try encoder.write(self == .yes ? "yes" : "no") }
}

extension Timestamp: Codable {
    /// Reads whole milliseconds.
    public init(from decoder: any Decoder) throws {
        self.init(milliseconds: try decoder.singleValueContainer().decode(Int64.self))
    }
    /// Writes whole milliseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.milliseconds)
    }
}

extension MonotonicTime: Codable {
    /// Reads whole nanoseconds. They mean something only within the life of the clock that gave them.
    public init(from decoder: any Decoder) throws {
        self.init(nanoseconds: try decoder.singleValueContainer().decode(Int64.self))
    }
    /// Writes whole nanoseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.nanoseconds)
    }
}

extension Decoder {
    fileprivate func text<Value>(_ parse: (String) -> Value?) throws -> Value {
        let container = try self.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = parse(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no \(Value.self)")
        }
        return value
    }
}

extension Encoder {
    fileprivate func write(_ text: String) throws {
        var container = self.singleValueContainer()
        try container.encode(text)
    }
}
