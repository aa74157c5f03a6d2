"""Node `diagnostics_aggregator`: the reports of all nodes as one tree, for rqt_robot_monitor, Foxglove and /metrics.

The form of files and topics is that of ROS package diagnostic_aggregator, which has no wheel.

    analyzers        the rules: groups, levels, reports that stopped or never came
    analyzers_file   reads them from a YAML file
    node             the wiring
"""

__all__ = ['analyzers', 'analyzers_file', 'node']
