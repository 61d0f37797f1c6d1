import OddsCore
import Testing

@testable import oddstream

@Suite struct RecordTableTests {
    private struct Row {
        let name: String
        let value: String
        let note: String
    }

    private let rows = [
        Row(name: "btc-updown-15m-1795356000", value: "1.50", note: "well"),
        Row(name: "eth", value: "12.00", note: "a little longer than the rest"),
    ]
    private let columns: [RecordTable.Column<Row>] = [
        .init(title: "NAME", keepsEnd: true) { $0.name }, .init(title: "VALUE", isNumber: true) { $0.value },
        .init(title: "NOTE", worth: 1) { $0.note },
    ]

    private func lines(_ width: Int, _ rows: [Row]) -> [String] {
        RecordTable(width: width, style: TextStyle(colour: false, unicode: true)).lines(rows, self.columns)
    }

    @Test func columnsAreAsWideAsTheyMustBe() {
        #expect(
            self.lines(80, self.rows) == [
                "NAME                       VALUE  NOTE",
                "btc-updown-15m-1795356000   1.50  well",
                "eth                        12.00  a little longer than the rest",
            ])
    }

    @Test func theLeastTellingGoFirstAndNamesAreCutLast() {
        #expect(self.lines(40, self.rows)[1] == "btc-updown-15m-1795356000   1.50")
        #expect(self.lines(28, self.rows)[1] == "btc-updow…-1795356000   1.50")
        for width in 19...100 { #expect(self.lines(width, self.rows).allSatisfy { $0.count <= width }) }
    }

    @Test func columnsWithNothingInThemAreLeftOut() {
        #expect(self.lines(80, [Row(name: "a", value: "1", note: "")]) == ["NAME  VALUE", "a         1"])
        #expect(self.lines(80, []) == ["NAME  VALUE  NOTE"])
    }

    @Test(arguments: [
        (0.71, "0.71"), (0.7, "0.70"), (0.7155, "0.7155"), (1, "1.00"), (0.00004, "0.00"), (-0.00004, "0.00"),
        (67_234.5, "67234.50"), (-3.1, "-3.10"), (.nan, ""), (1e300, ""),
    ]) func pricesHaveTheirDecimals(value: Double, text: String) { #expect(RecordText.price(value) == text) }

    @Test func moneyAndSizesReadAsPeopleWriteThem() {
        #expect(RecordText.signedMoney(5.414715) == "+5.41")
        #expect(RecordText.signedMoney(-14.585285) == "-14.59")
        #expect(RecordText.signedMoney(0) == "0.00")
        #expect(RecordText.size(20) == "20")
        #expect(RecordText.size(12.5) == "12.5")
        #expect(RecordText.price(nil).isEmpty)
        #expect(RecordText.span(milliseconds: 8200) == "8.2 s")
        #expect(RecordText.moment(1_795_356_000_123_456_789) == "11-22 14:00:00.123")
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("say \"no\"", "\"say \"\"no\"\"\""), ("a\nb", "\"a\nb\""),
        ("a\r\nb", "\"a\r\nb\""), ("it's", "it's"),
    ]) func fieldsAreQuotedWhereTheyMustBe(text: String, field: String) { #expect(RecordLines.field(text) == field) }

    @Test func csvHasEveryKeyInItsOrder() throws {
        let record = ReferencePriceRecord(
            symbol: "btc/usd", source: "chainlink", price: 67_234.5, time: Timestamp(milliseconds: 1),
            received: Timestamp(milliseconds: 2))
        let keys = RecordLines.keys(of: .referencePrice)
        #expect(RecordLines.csvHeader(keys) == "symbol,source,price,time_ms,received_ms")
        #expect(try RecordLines.csv(record, keys: keys) == "btc/usd,chainlink,67234.5,1,2")
        #expect(
            try RecordLines.json(HistoryRecord.referencePrice(record)).hasPrefix(#"{"price":67234.5,"received_ms":2,"#))
    }

    @Test func timesAreReadAsPeopleTypeThem() {
        let now = Timestamp(seconds: 1_795_356_000)
        #expect(TimeText.parse("2026-11-22T14:00:00Z", now: now) == now)
        #expect(TimeText.parse("2026-11-22", now: now) == Timestamp(seconds: 1_795_305_600))
        #expect(TimeText.parse("2h", now: now) == now.advanced(by: .seconds(-7200)))
        #expect(TimeText.parse("2h ago", now: now) == now.advanced(by: .seconds(-7200)))
        #expect(TimeText.parse("7d", now: now) == now.advanced(by: .seconds(-7 * 86_400)))
        for text in ["", "yesterday", "2", "-2h", "0d", "2026-13-01", "14:00", "nand"] {
            #expect(TimeText.parse(text, now: now) == nil)
        }
    }

    @Test func ordersAtHandAreChosenAndPaged() async throws {
        let records = (1...5).map { number in
            TradeRecord(
                order: UInt64(number), broker: "paper", market: number < 4 ? "0xa" : "0xb", slug: "m\(number / 4)",
                side: .yes, decided: Timestamp(seconds: Int64(number)), epoch: 1, limit: 0.7, size: 5)
        }
        let source = ListedTrades(records: records)
        var query = HistoryQuery(market: try await source.marketID(named: "m0"), from: Timestamp(seconds: 2), limit: 1)
        var orders: [UInt64] = []
        repeat {
            let page = try await source.trades(query)
            orders += page.items.map(\.order)
            query.cursor = page.next
        } while query.cursor != nil
        #expect(orders == [3, 2])
        await #expect(throws: ProgramFailure.self) { try await source.marketID(named: "m7") }
    }
}
