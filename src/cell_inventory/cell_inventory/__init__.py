"""Stock ledger of the cell: an append-only table of ledger entries, and the counts of all trays as their sums.

    rules               which entries a booking makes, pure
    ledger              the table and its cached sums
    history_reader      reads the table page by page
    recorded            books the requests of a recording again, for a replay
    node                services, topics and the first load
    stock_file          the JSON file `inventory.json` of the replaced systems, pure
    json_lines          JSON of such a file with the lines of its values, pure
    stock_file_history  which content another program had read before it changed the file, pure
    stock_file_sync     keeps such a file in step with the ledger

A count is never stored as such, so it can always be explained: it is the sum of entries with time, operator and reason.
"""

__all__ = ['history_reader', 'node', 'recorded', 'stock_file']
