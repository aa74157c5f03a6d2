"""Library of the cell: parameters, quality of service, alarms, database, catalogue, time, executor and test fixtures."""

__all__ = [
    'alarms',
    'background',
    'backoff',
    'calls',
    'catalogue',
    'catalogue_file',
    'commands',
    'database',
    'diagnostics',
    'error_code',
    'ids',
    'inbox',
    'parameters',
    'qos',
    'ros_time',
    'runner',
    'testing',
    'time',
    'timers',
    'yaml_model',
]
