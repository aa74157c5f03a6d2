import shutil

import pytest
from cell_common.database import open_database
from cell_history.queries.service import History, HistoryFolders
from cell_history.testing import make_sample


@pytest.fixture(scope='session')
def sample(tmp_path_factory):
    """Folder of the sample history; its tables take half a second to make."""
    folder = tmp_path_factory.mktemp('sample')
    make_sample(f'sqlite:///{folder}/cell.db', folder)
    return folder


@pytest.fixture
def history(tmp_path, sample):
    """A copy of the sample history, opened for reading."""
    folder = tmp_path / 'state'
    shutil.copytree(sample, folder)
    engine = open_database(f'sqlite:///{folder}/cell.db')
    yield History(engine, HistoryFolders(folder / 'kept_frames', folder / 'recordings' / 'clips'))
    engine.dispose()
