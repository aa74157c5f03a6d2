"""The alarms of the cell: states after ANSI/ISA-18.2, storage, node."""
