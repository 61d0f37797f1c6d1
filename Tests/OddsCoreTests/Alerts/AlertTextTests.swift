import Testing

@testable import OddsCore

@Suite struct AlertTextTests {
    private func alert(_ title: String, text: String = "", downtime: Duration? = nil) -> Alert {
        Alert(
            severity: .critical, kind: .stale, incident: .init("i"), title: title, text: text,
            time: Timestamp(seconds: 1_767_225_600), downtime: downtime)
    }

    @Test func oneAlertReadsPlainly() {
        var alert = self.alert("Odds are stale", text: "btc-updown-15m has had no update for 61 s.")
        #expect(
            AlertMessage(serial: 1, alerts: [alert]).plainText(limit: 4096) == """
                CRITICAL: Odds are stale
                btc-updown-15m has had no update for 61 s.
                2026-01-01T00:00:00Z
                """)
        alert = self.alert("Odds are live again", downtime: .seconds(200))
        alert.severity = .info
        #expect(
            AlertMessage(serial: 1, alerts: [alert]).plainText(limit: 4096) == """
                INFO: Odds are live again
                It lasted 3 min 20 s.
                2026-01-01T00:00:00Z
                """)
    }

    @Test func severalAlertsAreCountedAndNotesStandAtTheEnd() {
        let message = AlertMessage(
            serial: 1, alerts: [self.alert("One"), self.alert("Two")], leftOut: 3, attempt: 2, mayRepeat: true)
        #expect(
            message.plainText(limit: 4096) == """
                2 alerts

                CRITICAL: One
                2026-01-01T00:00:00Z

                CRITICAL: Two
                2026-01-01T00:00:00Z

                3 earlier alerts were left out because too many were waiting.

                Sent again: nobody confirmed attempt 1.
                """)
    }

    @Test func aTextIsCutBehindAWholeCharacterAndSaysSo() {
        // A family of four takes 11 UTF-16 units and is one character.
        let family = "👨‍👩‍👧‍👦"
        let text = String(repeating: family, count: 20)
        #expect(AlertMessage.cut(text, limit: 220) == text)
        let cut = AlertMessage.cut(text, limit: 219)
        #expect(cut == String(repeating: family, count: 17) + " … (3 characters cut)")
        #expect(cut.utf16.count <= 219)
        #expect(AlertMessage.cut(text, limit: 5) == "")
    }

    @Test(arguments: [4096, 1000, 300])
    func aLongMessageKeepsItsLimitAndEveryAlertItsPlace(limit: Int) {
        let alerts = (0..<5).map { self.alert("Alert \($0)", text: String(repeating: "é🙂x\n", count: 3000)) }
        let text = AlertMessage(serial: 1, alerts: alerts, leftOut: 1).plainText(limit: limit)
        #expect(text.utf16.count <= limit)
        for index in 0..<5 { #expect(text.contains("CRITICAL: Alert \(index)")) }
        #expect(text.contains("1 earlier alert was left out"))
        #expect(text.contains("characters cut)"))
    }

    @Test func aTextOfExactlyTheLimitStaysWhole() {
        var alert = self.alert("T")
        let rest = AlertMessage(serial: 1, alerts: [alert]).plainText(limit: 4096).utf16.count + 1
        alert.text = String(repeating: "x", count: 4096 - rest)
        let text = AlertMessage(serial: 1, alerts: [alert]).plainText(limit: 4096)
        #expect(text.utf16.count == 4096)
        #expect(!text.contains("cut"))
    }

    @Test(arguments: [
        (Duration.milliseconds(430), "0.4 s"), (.milliseconds(9960), "9.9 s"), (.seconds(42), "42 s"),
        (.seconds(200), "3 min 20 s"), (.seconds(180), "3 min"), (.seconds(3720), "1 h 2 min"), (.seconds(3605), "1 h"),
        (.seconds(2 * 86_400 + 3 * 3600), "2 d 3 h"), (.seconds(-5), "0.0 s"),
    ])
    func timesAreSpokenInTheUnitsThatMatter(duration: Duration, text: String) {
        #expect(Alert.spoken(duration) == text)
    }

    @Test func severitiesAreOrdered() {
        #expect(Alert.Severity.allCases == [.info, .warning, .critical])
        #expect(Alert.Severity.allCases.sorted(by: >) == [.critical, .warning, .info])
    }

    @Test func theSameAtAnotherTimeIsTheSame() {
        let alert = self.alert("a")
        var other = alert
        other.time = other.time.advanced(by: .seconds(1))
        #expect(alert.saysTheSame(as: other))
        other.title = "b"
        #expect(!alert.saysTheSame(as: other))
    }
}
