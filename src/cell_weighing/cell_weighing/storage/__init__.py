"""Tables of the weighing package, and the readers of the journal."""
