"""The alarms of the cell: states after ANSI/ISA-18.2 (`book`), grouping by cause (`folding`), database (`store`), node."""
