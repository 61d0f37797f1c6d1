#if canImport(FoundationXML)
import Foundation
import FoundationXML
#else
import Foundation
#endif

/// An element of a page, parsed as XML: what is not well-formed is not parsed.
final class Element {
    let name: String
    let attributes: [String: String]
    private(set) var children: [Element] = []
    /// What is in it, in the order of the page.
    private var content: [Content] = []

    private enum Content {
        case text(String)
        case element(Element)
    }

    init(_ name: String, _ attributes: [String: String]) {
        self.name = name
        self.attributes = attributes
    }

    /// The page as a tree.
    static func parse(_ page: String) throws -> Element {
        let parser = XMLParser(data: Data(page.utf8))
        let builder = Builder()
        parser.delegate = builder
        guard parser.parse(), let root = builder.root else {
            throw Malformed(
                line: parser.lineNumber, column: parser.columnNumber,
                reason: "\(String(describing: parser.parserError))")
        }
        return root
    }

    struct Malformed: Error {
        let line: Int
        let column: Int
        let reason: String
    }

    /// This element and all below it, in the order of the page.
    var all: [Element] { [self] + self.children.flatMap(\.all) }

    /// All of a name below.
    func all(_ name: String) -> [Element] { self.all.filter { $0.name == name } }

    /// All text in it.
    var text: String {
        self.content.map { content in
            switch content {
            case .text(let text): text
            case .element(let element): element.text
            }
        }.joined()
    }

    var classes: Set<String> {
        Set((self.attributes["class"] ?? "").split(separator: " ").map(String.init))
    }

    private final class Builder: NSObject, XMLParserDelegate {
        var root: Element?
        private var open: [Element] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            let element = Element(name, attributes)
            if let parent = self.open.last {
                parent.children.append(element)
                parent.content.append(.element(element))
            } else {
                self.root = element
            }
            self.open.append(element)
        }

        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) {
            self.open.removeLast()
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) { self.open.last?.content.append(.text(text)) }
    }
}
