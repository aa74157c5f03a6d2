"""Runs the pick job, reports whether the cell is ready, and keeps the alarms.

Start with `node` (the wiring) and `job/machine` (the rules). `figures`, `figures_reader` and `history_reader` are public, too.

    node             services, run_job action, topics `job` and `status`
    job/             the pick job: pure rules, their database, and the clients of the other nodes
    figures          OEE, stops, rejects and cycle times of the jobs of a time
    history_reader   jobs, pieces with readings and triggers, and alarms, page by page
    health           which node is OK, and whether a job may start
    diagnostics_aggregator/   node `diagnostics_aggregator`: the reports of all nodes as one tree
    alarms/          node `alarms`, a process of its own, so alarms outlive a crash of the coordinator
"""

__all__ = ['figures', 'figures_reader', 'history_reader', 'node', 'testing']
