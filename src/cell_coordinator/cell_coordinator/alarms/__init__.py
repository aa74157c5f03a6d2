"""The alarms: raise, acknowledge, shelve, clear."""
