"""Small functions used by actions and substitutions."""

from __future__ import annotations

import collections.abc
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution

if TYPE_CHECKING:
    import asyncio

    from launch.launch_context import LaunchContext

__all__ = [
    'ensure_argument_type',
    'is_a',
    'is_a_subclass',
    'normalize_to_list_of_entities',
    'normalize_to_list_of_substitutions',
    'perform_substitutions',
    'visit_all_entities_and_collect_futures',
]


def is_a(obj: object, entity_type: type) -> bool:
    """Return whether the object is an instance of the type."""
    return isinstance(obj, entity_type)


def is_a_subclass(obj: object, entity_type: type) -> bool:
    """Return whether the object is an instance of the type, or a class derived from it."""
    return isinstance(obj, entity_type) or (isinstance(obj, type) and issubclass(obj, entity_type))


def ensure_argument_type(argument: object, types: Any, argument_name: str, caller: str | None = None) -> None:
    """Raise TypeError unless the argument is an instance of (one of) the types.

    Args:
        argument: the value.
        types: a type or an iterable of types.
        argument_name: its name, for the message.
        caller: who asks, for the message.
    """
    wanted = tuple(types) if isinstance(types, collections.abc.Iterable) else (types,)
    if not isinstance(argument, wanted):
        names = ', '.join(sorted(kind.__name__ for kind in wanted))
        where = f' to {caller}' if caller else ''
        raise TypeError(
            f"expected '{argument_name}'{where} to be one of [{names}], got '{argument}' of type '{type(argument).__name__}'"
        )


def _as_substitution(item: object) -> Substitution:
    from launch.substitutions import TextSubstitution

    if isinstance(item, Substitution):
        return item
    if isinstance(item, str):
        return TextSubstitution(text=item)
    raise TypeError(f"expected a text or a substitution, got '{item}' of type '{type(item).__name__}'")


def normalize_to_list_of_substitutions(subs: SomeSubstitutionsType | Any) -> list[Substitution]:
    """Return the substitutions that a text, a substitution or an iterable of both stands for."""
    if isinstance(subs, str | Substitution):
        return [_as_substitution(subs)]
    if isinstance(subs, collections.abc.Iterable):
        return [_as_substitution(item) for item in subs]
    raise TypeError(f"expected a text or a substitution, got '{subs}' of type '{type(subs).__name__}'")


def perform_substitutions(context: LaunchContext, subs: Iterable[Substitution]) -> str:
    """Return the texts of the substitutions, one after the other."""
    return ''.join([context.perform_substitution(sub) for sub in subs])


def normalize_to_list_of_entities(entities: Iterable[Any]) -> list[LaunchDescriptionEntity]:
    """Return a flat list of entities from an iterable of entities and iterables of them."""
    flat: list[LaunchDescriptionEntity] = []
    for entity in entities:
        flat.extend(entity if isinstance(entity, collections.abc.Iterable) else [entity])
    return flat


def visit_all_entities_and_collect_futures(
    entity: LaunchDescriptionEntity,
    context: LaunchContext,
) -> list[tuple[LaunchDescriptionEntity, asyncio.Future[None]]]:
    """Visit the entity and all that it yields, depth first; return those that go on, with their futures."""
    sub_entities = entity.visit(context)
    future = entity.get_asyncio_future()
    pairs = [] if future is None else [(entity, future)]
    for sub_entity in sub_entities or []:
        pairs.extend(visit_all_entities_and_collect_futures(sub_entity, context))
    return pairs
