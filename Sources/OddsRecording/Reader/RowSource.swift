import OddsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The lines of one file, plain or compressed, whole blocks at a time.
final class RowSource {
    let file: Recording.File
    private let input: InputFile
    private let onDamage: (RecordingDamage) -> Void
    private let inflater: Inflater?
    /// Bytes as they lie in the file.
    private let raw: UnsafeMutableRawBufferPointer
    private var rawStart = 0
    private var rawEnd = 0
    /// Where `rawEnd` lies in the file.
    private var fileOffset: UInt64 = 0
    /// Plain text: rows up to `released` may be given out, up to `filled` it is unpacked but not known to be whole.
    private var text: UnsafeMutableRawBufferPointer
    private var start = 0
    private var released = 0
    private var filled = 0
    private var isAtEnd = false

    private static let rawSize = 1 << 18
    private static let textSize = 1 << 20
    /// A block that is larger than this is given out before its checksum was seen: it is none of ours.
    private static let largestBlock = 1 << 22
    /// A line that is longer than this is none.
    private static let longestLine = 1 << 28

    init(_ file: Recording.File, onDamage: @escaping (RecordingDamage) -> Void) throws(SystemError) {
        self.file = file
        self.input = try InputFile(path: file.path)
        self.onDamage = onDamage
        self.raw = .allocate(byteCount: Self.rawSize, alignment: 16)
        self.text = .allocate(byteCount: Self.textSize, alignment: 16)
        var isCompressed = false
        do throws(SystemError) {
            self.rawEnd = try self.input.read(into: self.raw)
            self.fileOffset = UInt64(self.rawEnd)
            isCompressed = self.rawEnd >= 2 && self.raw[0] == 0x1F && self.raw[1] == 0x8B
            self.inflater = isCompressed ? Inflater() : nil
        } catch {
            self.inflater = nil
            self.raw.deallocate()
            self.text.deallocate()
            throw error
        }
    }

    deinit {
        self.raw.deallocate()
        self.text.deallocate()
    }

    /// How far the file was read, in bytes.
    var position: UInt64 { self.fileOffset - UInt64(self.rawEnd - self.rawStart) }

    /// The next line without its line feed; nil at the end. Valid until the next call.
    func nextLine() -> UnsafeRawBufferPointer? {
        while true {
            if self.start < self.released, let base = self.text.baseAddress {
                let rest = self.released - self.start
                if let end = memchr(base + self.start, 0x0A, rest) {
                    let count = UnsafeRawPointer(end) - UnsafeRawPointer(base + self.start)
                    defer { self.start += count + 1 }
                    return UnsafeRawBufferPointer(start: base + self.start, count: count)
                }
                // The last line of a file of others' may have no line feed.
                if self.isAtEnd {
                    defer { self.start = self.released }
                    return UnsafeRawBufferPointer(start: base + self.start, count: rest)
                }
            }
            guard !self.isAtEnd else { return nil }
            self.fill()
        }
    }

    // MARK: Unpacking

    private func fill() {
        // What is left over is the beginning of a line.
        if self.start > 0, let base = self.text.baseAddress {
            memmove(base, base + self.start, self.filled - self.start)
            self.filled -= self.start
            self.released -= self.start
            self.start = 0
        }
        if self.inflater != nil { self.inflate() } else { self.copy() }
    }

    private func copy() {
        if self.rawStart == self.rawEnd, !self.readMore() {
            self.isAtEnd = true
            return
        }
        let count = self.rawEnd - self.rawStart
        guard self.makeRoom(count), let base = self.text.baseAddress, let raw = self.raw.baseAddress else {
            return self.giveUp(at: self.position, "a line is longer than \(Self.longestLine) bytes")
        }
        memcpy(base + self.filled, raw + self.rawStart, count)
        self.filled += count
        self.released = self.filled
        self.rawStart = self.rawEnd
    }

    /// Unpacks a block, or the next part of a large one.
    private func inflate() {
        guard let inflater else { return }
        if self.rawStart == self.rawEnd, !self.readMore() {
            self.isAtEnd = true
            if inflater.isInside { self.broken("the file ends inside it") }
            return
        }
        if !inflater.isInside {
            inflater.begin(at: self.position)
            self.released = self.filled
        }
        let begin = self.released
        while true {
            guard self.makeRoom(1 << 15) else { return self.broken("a line is longer than \(Self.longestLine) bytes") }
            let input = UnsafeRawBufferPointer(rebasing: self.raw[self.rawStart..<self.rawEnd])
            // In parts that stay in the processor's cache until their rows are read.
            let room = UnsafeMutableRawBufferPointer(
                rebasing: self.text[self.filled..<min(self.text.count, self.filled + Self.rawSize)])
            let step = inflater.inflate(input, into: room)
            self.rawStart += step.consumed
            self.filled += step.produced
            switch step.outcome {
            case .blockEnd:
                self.released = self.filled
                return
            case .more:
                if self.filled - begin >= Self.largestBlock {
                    inflater.isStreaming = true
                }
                if inflater.isStreaming { self.released = self.filled }
                let needsInput = self.rawStart == self.rawEnd && step.produced < room.count
                if needsInput, !self.readMoreInside() { return }
                if inflater.isStreaming, self.released > begin { return }
            case .damaged(let reason): return self.broken(reason)
            }
        }
    }

    /// More of the file for the block that is being unpacked; false when there is none.
    private func readMoreInside() -> Bool {
        if self.readMore() { return true }
        self.isAtEnd = true
        self.broken("the file ends inside it")
        return false
    }

    private func makeRoom(_ more: Int) -> Bool {
        if self.text.count - self.filled >= more { return true }
        guard self.filled + more <= Self.longestLine, let base = self.text.baseAddress else { return false }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(self.text.count * 2, self.filled + more), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(start: base, count: self.filled))
        self.text.deallocate()
        self.text = larger
        return true
    }

    private func readMore() -> Bool {
        do throws(SystemError) {
            let count = try self.input.read(into: self.raw)
            self.rawStart = 0
            self.rawEnd = count
            self.fileOffset += UInt64(count)
            return count > 0
        } catch {
            self.rawStart = 0
            self.rawEnd = 0
            self.onDamage(self.damage(from: self.fileOffset, to: self.end, "it cannot be read: \(error)"))
            return false
        }
    }

    // MARK: Damage

    private var end: UInt64 { max(self.input.size, self.fileOffset) }

    private func damage(from begin: UInt64, to end: UInt64, _ reason: String) -> RecordingDamage {
        RecordingDamage(file: self.file.name, offset: begin, bytes: end - min(begin, end), reason: reason)
    }

    /// The block is broken: of one that was not given out yet nothing is, and the next whole one is looked for.
    private func broken(_ reason: String) {
        guard let inflater else { return }
        let begin = inflater.blockOffset
        // Of a large block what was unpacked stays, up to the line that is not whole.
        self.filled = self.released
        if let base = self.text.baseAddress, inflater.isStreaming {
            while self.filled > self.start, base.load(fromByteOffset: self.filled - 1, as: UInt8.self) != 0x0A {
                self.filled -= 1
            }
            self.released = self.filled
        }
        inflater.reset()
        guard let next = self.findBlock(after: begin) else {
            self.isAtEnd = true
            return self.onDamage(self.damage(from: begin, to: self.end, reason))
        }
        self.isAtEnd = false
        self.onDamage(self.damage(from: begin, to: next, reason))
    }

    private func giveUp(at offset: UInt64, _ reason: String) {
        self.isAtEnd = true
        self.released = self.start
        self.filled = self.start
        self.onDamage(self.damage(from: offset, to: self.end, reason))
    }

    /// Looks for the beginning of a block of ours and goes there.
    private func findBlock(after offset: UInt64) -> UInt64? {
        let mark = BlockHeader.mark
        var carried: [UInt8] = []
        var place = offset + 1
        do throws(SystemError) {
            try self.input.seek(to: place)
            while true {
                let count = try self.input.read(into: self.raw)
                guard count > 0 else { break }
                let bytes = carried + Array(self.raw[..<count])
                if let index = BlockHeader.find(in: bytes) {
                    let found = place - UInt64(carried.count) + UInt64(index)
                    try self.input.seek(to: found)
                    self.rawStart = 0
                    self.rawEnd = 0
                    self.fileOffset = found
                    return found
                }
                place += UInt64(count)
                carried = Array(bytes.suffix(mark.count - 1))
            }
        } catch {
            // The damage that led here is told, with everything behind it.
        }
        self.rawStart = 0
        self.rawEnd = 0
        self.fileOffset = self.input.size
        return nil
    }
}
