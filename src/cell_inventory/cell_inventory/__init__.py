"""Stock ledger of the cell: an append-only table of ledger entries, and the counts of all trays as their sums.

    rules            which entries a booking makes, pure
    ledger           the table and its cached sums
    recorded         books the requests of a recording again, for a replay
    node             services, topics and the first load
    stock_file       the JSON file `inventory.json` of the replaced systems, pure
    stock_file_sync  keeps such a file in step with the ledger

A count is never stored as such, so it can always be explained: it is the sum of entries with time, operator and reason.
"""

__all__ = ['node', 'recorded', 'stock_file']
