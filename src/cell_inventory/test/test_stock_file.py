import pytest
from cell_inventory.stock_file import StockFileError, read_stock, write_stock


def test_what_is_written_reads_back(catalogue):
    counts = {('EM1-2U1', tray): tray for tray in (1, 2, 3, 4)}
    assert read_stock(write_stock(counts), catalogue) == counts


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{', 'not JSON'),
        ('[]', 'must be an object'),
        ('{"NOPE": {}}', 'not in the catalogue'),
        ('{"EM1-2U1": 3}', 'must be an object'),
        ('{"EM1-2U1": {"tray5": 1}}', 'unknown key'),
        ('{"EM1-2U1": {"tray1": 11}}', '0 to 10'),
        ('{"EM1-2U1": {"tray1": true}}', '0 to 10'),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_the_place(catalogue, text, message):
    with pytest.raises(StockFileError, match=message):
        read_stock(text, catalogue)
