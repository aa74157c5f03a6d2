"""The pick job: model, state machine, effects, storage."""
