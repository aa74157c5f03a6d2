import threading

import pytest
from cell_common.database import DatabaseError, open_database
from cell_common.database_claim import claim_database


@pytest.fixture
def engine(tmp_path):
    opened = open_database(f'sqlite:///{tmp_path}/cell.db')
    yield opened
    opened.dispose()


def test_a_second_cell_is_refused_with_the_name_of_the_first(engine):
    claim_database(engine, '/line1')
    claim_database(engine, '/line1')
    with pytest.raises(DatabaseError, match='belongs to cell /line1') as refused:
        claim_database(engine, '/line2')
    assert '/line2' in str(refused.value) and 'state_dir' in str(refused.value)


def test_of_two_cells_that_start_together_one_is_refused(tmp_path):
    url, refused, barrier = f'sqlite:///{tmp_path}/cell.db', [], threading.Barrier(6)
    open_database(url).dispose()

    def start(cell):
        engine = open_database(url)
        barrier.wait()
        try:
            claim_database(engine, cell)
        except DatabaseError:
            refused.append(cell)
        engine.dispose()

    threads = [threading.Thread(target=start, args=(f'/line{index % 2}',)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3 and len(set(refused)) == 1
