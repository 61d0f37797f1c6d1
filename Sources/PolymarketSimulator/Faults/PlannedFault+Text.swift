extension PlannedFault {
    /// The fault as a plan has it: JSON in one line.
    package var json: String { FaultText.json(self) }
}
