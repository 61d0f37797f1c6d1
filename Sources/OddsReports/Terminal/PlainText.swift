/// Text of unknown origin made harmless.
enum PlainText {
    /// The text without what would move a cursor, change a colour, reverse the direction of reading or hide:
    /// every such character is shown as `�`, line breaks and tabs as a space.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: PlainText.isHarmful) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\t" || scalar == "\r" {
                result.append(" ")
            } else {
                result.append(PlainText.isHarmful(scalar) ? "\u{FFFD}" : scalar)
            }
        }
        return String(result)
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true  // controls
        case 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true  // unseen, and those that reverse
        case 0xFFFE, 0xFFFF: true  // no characters
        default: false
        }
    }
}
