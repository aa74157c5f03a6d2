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
    'executor',
    'ids',
    'inbox',
    'parameters',
    'qos',
    'runner',
    'testing',
    'time',
    'timers',
]
