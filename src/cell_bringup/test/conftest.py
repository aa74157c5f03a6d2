import pytest
from cell_bringup.client import CellClient
from cell_common.testing import domain, graph, migrated_database, node_switch_interval
from cell_weighing.testing import DeliveryRow
from sqlalchemy.orm import Session

TRAYS = ', '.join(4 * ['{count: 1, capacity: 9, low: 0}'])
CATALOGUE = f'parts:\n  - {{part_number: EM1-2U1, letter: A, trays: [{TRAYS}]}}\n'


@pytest.fixture
def client(domain):
    client = CellClient(domain_id=domain)
    yield client
    client.close()


@pytest.fixture
def catalogue_file(tmp_path):
    """Return the path of a catalogue with one part, EM1-2U1."""
    path = tmp_path / 'parts.yaml'
    path.write_text(CATALOGUE)
    return str(path)


@pytest.fixture
def engine(tmp_path):
    """Return an open database with the weighing tables."""
    opened = migrated_database(f'sqlite:///{tmp_path}/cell.db', 'cell_weighing')
    yield opened
    opened.dispose()


@pytest.fixture
def add_delivery(engine):
    """Return a function that adds a bag to the outbox."""

    def add(state: int, received_ns: int, attempts: int = 0, error: str = '') -> None:
        bag = {'reading_id': 'r', 'station': 'A', 'scale_id': '1', 'weight': '1', 'unit': 'kg'}
        with Session(engine) as session, session.begin():
            session.add(
                DeliveryRow(**bag, state=state, attempts=attempts, received_ns=received_ns, validated_ns=1, error=error)
            )

    return add
