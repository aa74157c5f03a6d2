"""Stock ledger of the cell: an append-only table of ledger entries, and the counts of all trays as their sums."""

__all__ = ['node', 'stock_file']
