"""The pick job: state machine, effects on other nodes, storage, operator commands."""
