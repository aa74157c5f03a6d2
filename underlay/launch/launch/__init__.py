"""Launch system: describe processes in Python and run them (stand-in with the API of launch 3.4).

A launch file returns a LaunchDescription of entities. LaunchService visits them, runs what they say, and handles events until
all processes have ended. Everything runs in one thread with an asyncio loop.
"""

from . import actions, conditions, descriptions, event_handlers, events, logging, substitutions
from ._uncovered import refuse
from .action import Action
from .condition import Condition
from .event import Event
from .event_handler import EventHandler
from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .launch_description_entity import LaunchDescriptionEntity
from .launch_description_source import LaunchDescriptionSource
from .launch_description_sources import InvalidLaunchFileError
from .launch_introspector import LaunchIntrospector
from .launch_service import LaunchService
from .some_entities_type import SomeEntitiesType, SomeEntitiesType_types_tuple
from .some_substitutions_type import SomeSubstitutionsType, SomeSubstitutionsType_types_tuple
from .substitution import Substitution

__all__ = [
    'Action',
    'Condition',
    'Event',
    'EventHandler',
    'InvalidLaunchFileError',
    'LaunchContext',
    'LaunchDescription',
    'LaunchDescriptionEntity',
    'LaunchDescriptionSource',
    'LaunchIntrospector',
    'LaunchService',
    'SomeEntitiesType',
    'SomeEntitiesType_types_tuple',
    'SomeSubstitutionsType',
    'SomeSubstitutionsType_types_tuple',
    'Substitution',
    'actions',
    'conditions',
    'descriptions',
    'event_handlers',
    'events',
    'logging',
    'substitutions',
]

__getattr__ = refuse(__name__, 'frontend')
