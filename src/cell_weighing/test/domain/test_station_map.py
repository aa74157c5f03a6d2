from datetime import datetime, timezone

import pytest
from cell_weighing.domain.station_map import AliasError, StationMap, parse_aliases

ENTRY = '9=3 2026-11-01T06:00Z/2026-11-02T18:00:00+00:00'


def moment(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() * 1e9)


@pytest.mark.parametrize(
    ('at', 'station'),
    [('2026-11-01T05:59:59', ''), ('2026-11-01T06:00:00', 'A'), ('2026-11-02T17:59:59', 'A'), ('2026-11-02T18:00:00', '')],
)
def test_a_spare_scale_stands_in_from_until(at, station):
    stations = StationMap({'3': 'A'}, parse_aliases([ENTRY]))
    assert stations.station_of('9', moment(at)) == station
    assert stations.station_of('3', moment(at)) == 'A'


def test_other_scales_weigh_for_the_default_station():
    assert StationMap({'3': 'A'}, default='Z').station_of('7', 0) == 'Z'
    assert StationMap({'3': 'B', '4': 'A', '5': 'B'}, default='Z').names == ['A', 'B', 'Z']


@pytest.mark.parametrize(
    'entries',
    [
        ['9'],
        ['9=9 2026-11-01/2026-11-02'],
        ['=3 2026-11-01/2026-11-02'],
        ['9=3 tomorrow/later'],
        ['9=3 2026-11-02/2026-11-01'],
        ['9=3 2026-11-01'],
        [ENTRY, '9=4 2026-11-02T00:00Z/2026-11-03T00:00Z'],
    ],
)
def test_an_invalid_alias_is_refused_with_the_cause(entries):
    with pytest.raises(AliasError, match='9'):
        parse_aliases(entries)
