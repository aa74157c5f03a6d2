"""Launch actions for ROS."""

from launch._uncovered import refuse

from .node import Node
from .scope import PushROSNamespace, SetParameter, SetParametersFromFile, SetRemap, SetROSLogDir, SetUseSimTime

PushRosNamespace = PushROSNamespace

__all__ = [
    'Node',
    'PushROSNamespace',
    'PushRosNamespace',
    'SetParameter',
    'SetParametersFromFile',
    'SetROSLogDir',
    'SetRemap',
    'SetUseSimTime',
]

__getattr__ = refuse(
    __name__, 'ComposableNodeContainer', 'LifecycleNode', 'LifecycleTransition', 'LoadComposableNodes', 'ROSTimer', 'RosTimer'
)
