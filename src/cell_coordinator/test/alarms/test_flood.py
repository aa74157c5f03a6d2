from cell_coordinator.alarms.flood import FLOOD_ALARMS, WINDOW_NS, FloodDetector


def test_a_few_alarms_are_no_flood():
    detector = FloodDetector()
    assert [detector.update(FLOOD_ALARMS - 1, 0), detector.update(FLOOD_ALARMS - 1, WINDOW_NS + 1)] == [0, 0]


def test_a_flood_is_counted_until_no_alarm_arrives():
    detector = FloodDetector()
    assert detector.update(FLOOD_ALARMS, 0) == FLOOD_ALARMS
    assert detector.update(150, WINDOW_NS // 2) == 200
    assert detector.update(0, WINDOW_NS + 1) == 200
    assert detector.update(0, 2 * WINDOW_NS) == 0
    assert detector.update(FLOOD_ALARMS - 1, 3 * WINDOW_NS) == 0
