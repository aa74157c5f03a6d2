import pytest
from cell_coordinator.job.model import MatchVerdict, VerdictKind
from cell_coordinator.job.transitions import rejection_reason

PART = 'G8NB-17SR'


@pytest.mark.parametrize(
    ('kind', 'text'),
    [
        (VerdictKind.AMBIGUOUS, 'ambiguous: two parts'),
        (VerdictKind.UNREADABLE, 'no readable text'),
        (VerdictKind.UNKNOWN, 'unknown part: read "XX"'),
        (VerdictKind.MATCH, 'does not belong'),
    ],
)
def test_every_rejection_has_a_reason(kind, text):
    assert text in rejection_reason(MatchVerdict(kind, PART, 1, '', 'XX', 0.1, 'two parts'), PART)
