"""Interface types by name, and messages as plain dictionaries (stand-in with the documented API of rosidl_runtime_py)."""

from rosidl_runtime_py.convert import message_to_csv, message_to_ordereddict, message_to_yaml
from rosidl_runtime_py.get_interfaces import get_interface_path
from rosidl_runtime_py.set_message import set_message_fields

__all__ = ['get_interface_path', 'message_to_csv', 'message_to_ordereddict', 'message_to_yaml', 'set_message_fields']
