import pytest
import yaml
from cell_common.catalogue_file import parse_catalogue
from cell_common.testing import domain, graph, node_switch_interval, postgresql

PARTS = {
    'parts': [
        {
            'part_number': 'EM1-2U1',
            'letter': 'A',
            'description': 'relay',
            'unit_weight': 0.04,
            'trays': [
                {'count': 3, 'capacity': 10, 'low': 2},
                {'count': 2, 'capacity': 10, 'low': 2},
                {'count': 0, 'capacity': 10, 'low': 2},
                {'count': 0, 'capacity': 10, 'low': 2},
            ],
        },
        {'part_number': 'G8NB-17SR', 'letter': 'E', 'trays': [{'count': 5, 'capacity': 5, 'low': 1}] * 4},
    ]
}


@pytest.fixture
def catalogue():
    return parse_catalogue(PARTS)


@pytest.fixture
def catalogue_file(tmp_path):
    path = tmp_path / 'parts.yaml'
    path.write_text(yaml.safe_dump(PARTS))
    return path


@pytest.fixture(params=['sqlite', pytest.param('postgresql', marks=pytest.mark.slow)])
def database_url(request, tmp_path):
    """Each test of the ledger runs on both databases."""
    if request.param == 'postgresql':
        return request.getfixturevalue('postgresql')()
    return f'sqlite:///{tmp_path}/cell.db'
