import pytest
from cell_common.testing import migrated_database


@pytest.fixture
def engine(database_url):
    engine = migrated_database(database_url, 'cell_coordinator')
    yield engine
    engine.dispose()
