/// Plain decimals to and from scaled whole numbers; shared by the fixed-point values.
enum Decimals {
    /// The value of `text` in units of 10^-`fractionDigits`; nil for anything but digits with at most one point,
    /// for a nonzero digit finer than the unit, and on overflow.
    @inline(__always)
    static func parse(_ text: UnsafeRawBufferPointer, fractionDigits: Int) -> Int64? {
        // 18 digits cannot overflow; longer texts take the checked path.
        guard text.count > 0 else { return nil }
        guard text.count &+ fractionDigits <= 18 else { return Self.parseLong(text, fractionDigits: fractionDigits) }
        var value: Int64 = 0
        var fraction = -1
        for byte in text {
            let digit = byte &- 0x30
            if digit < 10 {
                if fraction < fractionDigits {
                    value = value &* 10 &+ Int64(digit)
                } else if digit != 0 {
                    return nil
                }
                if fraction >= 0 { fraction &+= 1 }
            } else if byte == 0x2E, fraction < 0 {
                fraction = 0
            } else {
                return nil
            }
        }
        return Self.scale(value, fraction: fraction, fractionDigits: fractionDigits, length: text.count)
    }

    @inline(__always)
    private static func scale(_ value: Int64, fraction: Int, fractionDigits: Int, length: Int) -> Int64? {
        guard !(fraction == 0 && length == 1) else { return nil }  // a lone point
        var value = value
        var written = Swift.max(fraction, 0)
        while written < fractionDigits {
            value = value &* 10
            written &+= 1
        }
        return value
    }

    @inline(never)
    private static func parseLong(_ text: UnsafeRawBufferPointer, fractionDigits: Int) -> Int64? {
        var value: Int64 = 0
        var fraction = -1
        for byte in text {
            let digit = byte &- 0x30
            if digit < 10 {
                if fraction < fractionDigits {
                    let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                    let (sum, carry) = product.addingReportingOverflow(Int64(digit))
                    if overflow || carry { return nil }
                    value = sum
                } else if digit != 0 {
                    return nil
                }
                if fraction >= 0 { fraction += 1 }
            } else if byte == 0x2E, fraction < 0 {
                fraction = 0
            } else {
                return nil
            }
        }
        for _ in Swift.min(Swift.max(fraction, 0), fractionDigits)..<fractionDigits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        return value
    }

    /// The decimal spelling of a scaled number, without trailing zeros.
    static func print(_ value: Int64, fractionDigits: Int) -> String {
        var unit: Int64 = 1
        for _ in 0..<fractionDigits { unit *= 10 }
        let magnitude = value.magnitude
        var text = (value < 0 ? "-" : "") + String(magnitude / UInt64(unit))
        var rest = magnitude % UInt64(unit)
        guard rest != 0 else { return text }
        text += "."
        while rest != 0 {
            unit /= 10
            text += String(rest / UInt64(unit))
            rest %= UInt64(unit)
        }
        return text
    }
}
