"""Weighing: indicators, weigh jobs, bag records and their delivery. Process control only, not legal for trade.

Way of one bag: an indicator's line arrives at `bridge` (node scale_bridge), which stores it in the
journal and then publishes it. `station` (node weigh_station) reads the journal, makes a bag of each
valid line, and counts it in the weigh job of its station. `delivery` posts the bag to the web
application. `reports` evaluates finished jobs.

- `domain`: rules, independent of database and network.
- `storage`: tables, and the queries that several folders share. scale_bridge writes the journal;
  weigh_station writes the other tables and deletes old journal lines.

Public API: the modules of `__all__`, and in each the names of its own `__all__`.
"""

__all__ = ['bag_api', 'configuration', 'format_trial', 'history_reader', 'reader', 'recorded', 'reports', 'testing']
