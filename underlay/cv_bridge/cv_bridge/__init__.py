"""ROS images to and from OpenCV arrays (stand-in with the documented API of cv_bridge).

Not covered, and refused with a CvBridgeError: the encodings nv21 and nv24.
"""

from cv_bridge.core import CvBridge, CvBridgeError

__all__ = ['CvBridge', 'CvBridgeError']
