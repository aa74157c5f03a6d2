import pytest
from cell_coordinator.job.tray_choice import TrayChoice, choose_tray

FIRST, FULLEST, TURN = TrayChoice


@pytest.mark.parametrize(
    ('choice', 'trays', 'last', 'expected'),
    [
        (FIRST, [(1, 0), (2, 3), (3, 9)], 3, 2),
        (FIRST, [(12, 1), (3, 1)], 0, 3),
        (FULLEST, [(1, 2), (2, 9), (3, 9)], 0, 2),
        (FULLEST, [(1, -1), (2, 1)], 0, 2),
        (TURN, [(1, 2), (2, 9), (3, 9)], 0, 1),
        (TURN, [(1, 2), (2, 9), (3, 9)], 1, 2),
        (TURN, [(1, 2), (2, 0), (3, 9)], 1, 3),
        (TURN, [(1, 2), (2, 9), (3, 9)], 3, 1),
        (TURN, [(2, 9)], 2, 2),
        (TURN, [(250, 9), (255, 1)], 250, 255),
    ],
)
def test_the_rule_chooses_among_the_trays_with_pieces(choice, trays, last, expected):
    assert choose_tray(choice, trays, last) == expected


@pytest.mark.parametrize('choice', TrayChoice)
@pytest.mark.parametrize('trays', [[], [(1, 0)], [(1, 0), (2, 0)], [(1, -1)]])
def test_empty_trays_give_none(choice, trays):
    assert choose_tray(choice, trays, 1) is None
