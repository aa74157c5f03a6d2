"""Roles: topics, services and actions that a session may use, relative to the cell's namespace.

Names that are not listed are rejected. The gateway checks every browser message against the role of its session.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Role:
    """Permissions of one kind of session through rosbridge.

    Attributes:
        name: As in parameter `role`.
        topics: Topics that may be subscribed.
        services: Services that may be called.
        actions: Actions whose goals may be sent and canceled.
    """

    name: str
    topics: frozenset[str] = field(default=frozenset())
    services: frozenset[str] = field(default=frozenset())
    actions: frozenset[str] = field(default=frozenset())


# Exactly the names that the page uses; test_roles.py compares them.
VIEWER = Role(
    'viewer',
    topics=frozenset(
        {
            'heartbeat',
            'status',
            'job',
            'component_captured',
            'benchmark_set',
            'job_invalid',
            'reload_required',
            'replay',
            'inventory',
            'robot/state',
            'alarms',
            'weighing/job',
            'weighing/bags',
            'weighing/scales',
            'weighing/delivery',
            'weighing/not_taken',
        }
    ),
    services=frozenset({'robot/preflight', 'matching/benchmarks', 'ocr/get_crop', 'inventory/get', 'weighing/get_bag'}),
)
"""May see all data of the page and change nothing."""

TEACHING = frozenset({'robot/teaching/get', 'robot/teaching/take', 'robot/teaching/freedrive', 'robot/get_details'})
"""Services that teach the places of the arm: freedrive lets it be moved by hand, and a place that is taken is where it goes."""

NODES_ONLY = {
    'inventory/book': 'the coordinator books what the robot did',
    'inventory/count': 'programs and terminals count trays; the page corrects with inventory/adjust',
    'matching/match': 'the coordinator asks for verdicts',
    'matching/store_benchmark': 'the coordinator stores what it has seen; the page uses set_benchmark',
    'ocr/read': 'the coordinator asks for readings',
    'camera/learn_background': 'done from a terminal, when the camera is set up',
    'robot/trigger': 'the coordinator moves the robot, as part of a job',
    'robot/start_program': 'the coordinator passes start_robot on',
    'weighing/record_bag': 'the REST interface records the bags of other programs',
    'sim/fault': 'terminals and tests inject faults into the simulated devices',
}
"""Service or action that no session may use -> who uses it instead. test_roles.py compares with every interface that exists."""

OPERATOR = Role(
    'operator',
    topics=VIEWER.topics,
    services=VIEWER.services
    | frozenset(
        {
            'set_job',
            'control_job',
            'set_benchmark',
            'capture_component',
            'start_robot',
            'camera/start',
            'camera/stop',
            'inventory/reload',
            'inventory/adjust',
            'inventory/reset',
            'inventory/undo',
            'robot/stop',
            'weighing/start_job',
            'weighing/end_job',
            'weighing/reopen_job',
            'weighing/void_bag',
            'weighing/undo_void',
            'weighing/retry',
            'ocr/keep_frame',
            'alarms/acknowledge',
            'alarms/shelve',
        }
    ),
    actions=frozenset({'run_job', 'robot/recover'}),
)
"""May operate the cell: the person who stands at it. The ledger keeps who booked what, and entries can be undone."""

SUPERVISOR = replace(OPERATOR, name='supervisor')
"""May do what an operator may, and undo entries of the ledger of any age: node inventory asks for the role."""

MAINTAINER = replace(SUPERVISOR, name='maintainer', services=SUPERVISOR.services | TEACHING)
"""May do what a supervisor may, and sets the cell up: teaches the arm."""

ROLES = {role.name: role for role in (VIEWER, OPERATOR, SUPERVISOR, MAINTAINER)}
