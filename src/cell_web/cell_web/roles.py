"""Who may do what through the gateway: names of topics, services and actions, relative to the cell's namespace.

Nothing listed means nothing allowed. A role is data, so that a login can later choose one for each session: the gateway
asks a role for every message that a browser sends and has no other list.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Role:
    """What one kind of person may use through rosbridge."""

    name: str
    topics: frozenset[str] = field(default=frozenset())
    """Topics that may be subscribed."""
    services: frozenset[str] = field(default=frozenset())
    """Services that may be called."""
    actions: frozenset[str] = field(default=frozenset())
    """Actions whose goals may be sent and cancelled."""


# What the page uses and nothing else: test_page_sources.py compares.
VIEWER = Role(
    'viewer',
    topics=frozenset(
        {
            'status',
            'job',
            'component_captured',
            'inventory',
            'robot/state',
            'alarms',
            'weighing/job',
            'weighing/bags',
            'weighing/scales',
            'weighing/delivery',
        }
    ),
    services=frozenset({'robot/preflight', 'matching/benchmarks', 'ocr/get_crop'}),
)
"""Sees everything that the page shows, changes nothing."""

OPERATOR = Role(
    'operator',
    topics=VIEWER.topics,
    services=VIEWER.services
    | frozenset(
        {
            'set_job',
            'control_job',
            'inventory/reload',
            'robot/stop',
            'weighing/start_job',
            'weighing/end_job',
            'weighing/reopen_job',
            'weighing/void_bag',
            'weighing/retry',
            'ocr/keep_frame',
            'alarms/acknowledge',
            'alarms/shelve',
        }
    ),
    actions=frozenset({'run_job', 'robot/recover'}),
)
"""Runs the cell."""

ROLES = {role.name: role for role in (VIEWER, OPERATOR)}
