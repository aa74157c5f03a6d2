"""Library that every package of the cell builds on; it depends on none of them.

By purpose:
    node frame     runner, parameters, timers, timeouts, inbox, background, calls, action_calls, qos, diagnostics
    network, log   listening, log_limit, engineio3
    data           database, database_claim, history_page, command_history, atomic_file, yaml_model, ids,
                   latest_entries, time, ros_time
    cell's words   catalogue, catalogue_file, catalogue_table, alarm_text, alarm_texts, alarms, commands, error_code,
                   gripper_sensor
    tests          testing

Modules with the line `Pure: no ROS, sockets, files or clock.` can be imported without ROS; a house rule checks the claim.
"""

__all__ = [
    'action_calls',
    'alarm_text',
    'alarm_texts',
    'alarms',
    'atomic_file',
    'background',
    'backoff',
    'calls',
    'catalogue',
    'catalogue_file',
    'catalogue_table',
    'command_history',
    'command_log',
    'command_store',
    'commands',
    'database',
    'database_claim',
    'database_worker',
    'diagnostics',
    'engineio3',
    'error_code',
    'gripper_sensor',
    'heartbeat',
    'history_page',
    'ids',
    'inbox',
    'latest_entries',
    'listening',
    'log_limit',
    'parameters',
    'qos',
    'request_limits',
    'ros_time',
    'runner',
    'services',
    'storage_health',
    'testing',
    'time',
    'timeouts',
    'timers',
    'yaml_model',
]
