import pytest
from cell_common.database import migrate, open_database


@pytest.fixture
def engine(database_url):
    engine = open_database(database_url)
    migrate(engine, 'cell_coordinator')
    yield engine
    engine.dispose()
