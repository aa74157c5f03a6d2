"""Launch descriptions as text."""

from __future__ import annotations

from collections.abc import Iterable

from .actions import EmitEvent, ExecuteProcess, LogInfo, RegisterEventHandler
from .event_handler import BaseEventHandler
from .launch_description import LaunchDescription
from .launch_description_entity import LaunchDescriptionEntity
from .some_substitutions_type import SomeSubstitutionsType
from .utilities import normalize_to_list_of_substitutions

INDENT = '    '


def format_substitutions(substitutions: SomeSubstitutionsType) -> str:
    """Return the descriptions of substitutions, joined by plus signs."""
    return ' + '.join(part.describe() for part in normalize_to_list_of_substitutions(substitutions))


def format_entities(entities: Iterable[LaunchDescriptionEntity]) -> list[str]:
    """Return the lines that describe entities; the entities of an event handler are indented by four spaces."""
    return [line for entity in entities for line in format_action(entity)]


def format_event_handler(event_handler: BaseEventHandler) -> list[str]:
    """Return the lines that describe an event handler and its entities."""
    description, entities = event_handler.describe()
    return [description, *(INDENT + line for line in format_entities(entities))]


def format_action(action: LaunchDescriptionEntity) -> list[str]:
    """Return the lines that describe one action."""
    if isinstance(action, LogInfo):
        return [f'LogInfo({format_substitutions(action.msg)})']
    if isinstance(action, EmitEvent):
        return [f"EmitEvent(event='{action.event.name}')"]
    if isinstance(action, ExecuteProcess):
        return [_format_process(action)]
    if isinstance(action, RegisterEventHandler):
        lines = format_event_handler(action.event_handler)
        return [f"RegisterEventHandler('{action.event_handler}'):", *(INDENT + line for line in lines)]
    return [f"Action('{action}')"]


def _format_process(process: ExecuteProcess) -> str:
    description = process.process_description
    command = ', '.join(format_substitutions(part) for part in description.cmd)
    folder = None if description.cwd is None else f"'{format_substitutions(description.cwd)}'"
    pairs = (
        None
        if description.env is None
        else [f'{format_substitutions(key)}: {format_substitutions(value)}' for key, value in description.env]
    )
    environment = None if pairs is None else f'{{{", ".join(pairs)}}}'
    return f'ExecuteProcess(cmd=[{command}], cwd={folder}, env={environment}, shell={process.shell})'


def _draw_tree(lines: list[str]) -> list[str]:
    """Put branches before lines that are indented by four spaces and more."""
    drawn: list[str] = []
    for number, line in enumerate(lines):
        depth = len(line) - len(line.lstrip())
        later = next((d for d in (len(x) - len(x.lstrip()) for x in lines[number + 1 :]) if d <= depth), 0)
        branch = '├── ' if later == depth else '└── '
        drawn.append(('│' + line[1:depth] if depth > len(INDENT) else '')[: depth - len(INDENT)] + branch + line[depth:])
    return drawn


class LaunchIntrospector:
    """Describes launch descriptions without launching them."""

    def format_launch_description(self, launch_description: LaunchDescription) -> str:
        """Return the description as a tree, one entity a line."""
        lines = [INDENT + line for line in format_entities(launch_description.entities)]
        return f'{launch_description}\n' + '\n'.join(_draw_tree(lines))
