"""Library of the cell: parameters, quality of service, alarms, database, catalogue, time, executor and test fixtures."""

__all__ = [
    'actions',
    'alarms',
    'background',
    'backoff',
    'calls',
    'catalogue',
    'commands',
    'database',
    'diagnostics',
    'error_code',
    'executor',
    'ids',
    'inbox',
    'parameters',
    'qos',
    'ros_time',
    'runner',
    'testing',
    'time',
    'timers',
]
