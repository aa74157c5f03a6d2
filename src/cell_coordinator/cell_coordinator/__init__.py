"""The pick job's life, and the alarms."""
