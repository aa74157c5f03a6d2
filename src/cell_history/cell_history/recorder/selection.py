"""Which topics are recorded.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ['CHOICES', 'CLIP_TOPICS', 'EVENTS', 'wants']

CHOICES = ('decisions', 'vision', 'everything')
"""What can be recorded; each contains the one before."""
EVENTS = '/_service_event'
DECISIONS = (
    'alarms',
    'alarms/events',
    'benchmark_set',
    'component_captured',
    'heartbeat',
    'inventory',
    'inventory/events',
    'job',
    'job_invalid',
    'matching/result',
    'ocr/result',
    'reload_required',
    'robot/state',
    'status',
    'weighing/bag',
    'weighing/bags',
    'weighing/delivery',
    'weighing/job',
    'weighing/not_taken',
    'weighing/scales',
    'weighing/weight',
)
VISION = ('camera/camera_info', 'camera/image_age', 'camera/image_raw/compressed')
CLIP_TOPICS = (*DECISIONS, *VISION)
"""Topics of a clip, whatever the bag holds."""
ABSOLUTE = ('/diagnostics', '/rosout', '/tf', '/tf_static')
"""Topics outside the namespace that belong to everything."""
NEVER = ('sensor_msgs/msg/Image',)
"""Types that are never recorded: the compressed frame has the same content at a fiftieth of the size."""


def wants(topic: str, kinds: Sequence[str], namespace: str, what: str) -> bool:
    """Return whether a topic is recorded.

    Args:
        topic: Full name.
        kinds: Its types, usually one.
        namespace: Namespace of the cell, without slashes around it.
        what: One of CHOICES.
    """
    prefix = f'/{namespace}/' if namespace else '/'
    if any(kind in NEVER for kind in kinds):
        return False
    if not topic.startswith(prefix):
        return what == 'everything' and topic in ABSOLUTE
    name = topic.removeprefix(prefix)
    if name.endswith(EVENTS):
        return True
    if any(part.startswith('_') for part in name.split('/')):
        return False
    return what == 'everything' or name in DECISIONS or (what == 'vision' and name in VISION)
