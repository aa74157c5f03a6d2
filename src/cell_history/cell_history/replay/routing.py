"""Under which name a recorded topic is played.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

__all__ = ['DECIDED', 'played_as']

DECIDED = frozenset(
    {
        'component_captured',
        'inventory',
        'inventory/events',
        'job',
        'matching/result',
        'ocr/overlay/compressed',
        'ocr/result',
        'weighing/bag',
        'weighing/bags',
        'weighing/job',
    }
)
"""Topics with decisions, relative to the cell's namespace. Recorded ones are played below `recorded/`."""
NOT_PLAYED = ('weighing/delivery', 'recording/', 'inventory/last_reset', 'replay')
"""Of the live cell alone, or commands to it."""
ABSOLUTE = frozenset({'/tf', '/tf_static'})
"""Topics outside the namespace that are played. Diagnostics are not: they would name nodes of the live cell."""
EVENT = '/_service_event'


def played_as(topic: str, namespace: str) -> str:
    """Return the name of a recorded topic in the replay, relative to its namespace; "" = it is not played.

    Args:
        topic: Full recorded name.
        namespace: Namespace of the recorded cell, without slashes around it.
    """
    if topic in ABSOLUTE:
        return topic
    prefix = f'/{namespace}/' if namespace else '/'
    if not topic.startswith(prefix) or topic.endswith(EVENT):
        return ''
    name = topic.removeprefix(prefix)
    if name.startswith(NOT_PLAYED):
        return ''
    return f'recorded/{name}' if name in DECIDED else name
