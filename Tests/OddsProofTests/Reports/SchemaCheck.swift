import Foundation

/// Any JSON.
enum JSONTree: Decodable, Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case object([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONTree].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: JSONTree].self))
        }
    }

    subscript(key: String) -> JSONTree? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    /// Its type, as JSON Schema calls it; a whole number is a number too.
    var types: Set<String> {
        switch self {
        case .null: ["null"]
        case .flag: ["boolean"]
        case .number(let number): number == number.rounded() ? ["integer", "number"] : ["number"]
        case .text: ["string"]
        case .list: ["array"]
        case .object: ["object"]
        }
    }
}

/// The part of JSON Schema 2020-12 that the schemas of the reports use; a keyword it does not know is a fault of its own.
struct SchemaCheck {
    /// What of a value is not as the schema says, each with its place.
    static func faults(_ value: JSONTree, _ schema: JSONTree, at place: String = "$") -> [String] {
        guard case .object(let keywords) = schema else { return ["\(place): the schema is no object"] }
        var faults: [String] = []
        for (keyword, rule) in keywords.sorted(by: { $0.key < $1.key }) {
            switch (keyword, rule) {
            case ("$schema", _), ("$id", _), ("title", _), ("description", _): break
            case ("const", _): if value != rule { faults.append("\(place): not \(rule)") }
            case ("type", .text(let name)):
                if !value.types.contains(name) { faults.append("\(place): no \(name)") }
            case ("type", .list(let names)):
                let names = names.map { if case .text(let name) = $0 { name } else { "" } }
                if value.types.isDisjoint(with: names) { faults.append("\(place): none of \(names)") }
            case ("required", .list(let names)):
                guard case .object(let members) = value else { break }
                for case .text(let name) in names where members[name] == nil {
                    faults.append("\(place).\(name): missing")
                }
            case ("properties", .object(let rules)):
                guard case .object(let members) = value else { break }
                for (name, rule) in rules {
                    if let member = members[name] { faults += Self.faults(member, rule, at: "\(place).\(name)") }
                }
            case ("additionalProperties", _):
                guard case .object(let members) = value else { break }
                for (name, member) in members where schema["properties"]?[name] == nil {
                    faults += Self.faults(member, rule, at: "\(place).\(name)")
                }
            case ("items", _):
                guard case .list(let items) = value else { break }
                for (index, item) in items.enumerated() { faults += Self.faults(item, rule, at: "\(place)[\(index)]") }
            default: faults.append("\(place): the schema has the keyword '\(keyword)', which is not checked")
            }
        }
        return faults
    }

    /// Keys that a value has and the schema does not name, each with its place.
    static func unnamed(_ value: JSONTree, _ schema: JSONTree, at place: String = "$") -> [String] {
        switch value {
        case .object(let members):
            return members.flatMap { name, member -> [String] in
                guard let rule = schema["properties"]?[name] ?? schema["additionalProperties"] else {
                    return ["\(place).\(name)"]
                }
                return Self.unnamed(member, rule, at: "\(place).\(name)")
            }
        case .list(let items):
            guard let rule = schema["items"] else { return items.isEmpty ? [] : ["\(place)[]"] }
            return items.flatMap { Self.unnamed($0, rule, at: "\(place)[]") }
        case .null, .flag, .number, .text: return []
        }
    }
}
