"""Messages to and from the values of JSON.

Converters are compiled once for each type and kept. The rules are those of rosbridge: NaN and infinity become null, arrays of
uint8 become base64, a byte becomes a number, and a header without a stamp gets the current time.

Encoding is the hot path of the bridge, so it is generated as source: one dictionary display per class, without a look at types
at run time. Decoding checks every value, because it comes from a browser.
"""

from __future__ import annotations

import array
import binascii
import functools
import importlib
import math
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import numpy as np
from rosidl_parser.definition import (  # type: ignore[import-untyped]
    AbstractGenericString,
    AbstractNestedType,
    Array,
    BasicType,
    BoundedSequence,
    NamespacedType,
)

TYPE_CODES = {
    'int8': 'b',
    'uint8': 'B',
    'int16': 'h',
    'uint16': 'H',
    'int32': 'i',
    'uint32': 'I',
    'int64': 'q',
    'uint64': 'Q',
    'float': 'f',
    'double': 'd',
}
INTEGER_BITS = {'int8': 8, 'int16': 16, 'int32': 32, 'int64': 64, 'uint8': 8, 'uint16': 16, 'uint32': 32, 'uint64': 64}
FLOATS = ('float', 'double')
FLOAT32_MAX = 3.402823466e38

Now = Callable[[], Any]
Decoder = Callable[[Any, str, Now], Any]


class FieldError(ValueError):
    """A value does not fit into a message; the text names the field and the values it takes."""


def to_json(message: Any) -> dict[str, Any]:
    """Return the values of a message as JSON can carry them."""
    kind: Any = type(message)
    return _encoder(kind)(message)


def from_json(kind: Any, values: Any, now: Now) -> Any:
    """Return a message made of JSON values; fields that are left out keep their defaults.

    Args:
        kind: Message class.
        values: Object by field name, or a list of values in the order of the fields.
        now: Returns the current time as a builtin_interfaces/Time, for stamps that were left out.

    Raises:
        FieldError: A field does not exist or its value does not fit.
    """
    if values is None:
        values = {}
    if isinstance(values, list):
        names = list(kind.get_fields_and_field_types())
        if len(values) > len(names):
            raise FieldError(f'{type_name(kind)} has {len(names)} fields, but {len(values)} values were given')
        values = dict(zip(names, values, strict=False))
    return _object_decoder(kind)(values, '', now)


def type_name(kind: Any) -> str:
    """Return the full name of an interface class, such as `std_msgs/msg/String`."""
    package, group = kind.__module__.split('.')[:2]
    return f'{package}/{group}/{kind.__name__}'


def _import(kind: NamespacedType) -> Any:
    return getattr(importlib.import_module('.'.join(kind.namespaces)), kind.name)


def _fields(kind: Any) -> list[tuple[str, Any]]:
    return list(zip(kind.get_fields_and_field_types(), kind.SLOT_TYPES, strict=True))


# message -> JSON


@functools.cache
def _encoder(kind: Any) -> Callable[[Any], dict[str, Any]]:
    """Compile the function that turns a message of one class into a dictionary.

    The source holds names of fields and of classes only, which come from interface definitions and not from clients.
    """
    names: dict[str, Any] = {'b64': _base64, 'floats': _finite_list}
    body = ', '.join(f'{name!r}: {_expression(slot, f"m.{name}", names)}' for name, slot in _fields(kind))
    exec(f'def encode(m):\n    return {{{body}}}', names)
    encode: Callable[[Any], dict[str, Any]] = names['encode']
    return encode


def _expression(slot: Any, value: str, names: dict[str, Any]) -> str:
    """Return the source of the JSON value of one field.

    Args:
        slot: Type of the field.
        value: Source that yields its value.
        names: Globals of the generated function; encoders of nested types are added.
    """
    if isinstance(slot, NamespacedType):
        return f'{_bind(slot, names)}({value})'
    if isinstance(slot, AbstractNestedType):
        return _list_expression(slot.value_type, value, names)
    if isinstance(slot, BasicType):
        if slot.typename in FLOATS:
            return f'(v if (v := {value}) - v == 0.0 else None)'  # the difference is NaN for NaN and infinity
        if slot.typename == 'octet':
            return f'{value}[0]'
    return value


def _list_expression(item: Any, value: str, names: dict[str, Any]) -> str:
    """Return a Python expression that makes a JSON list of a sequence.

    Args:
        item: Type of the elements. Sequences of uint8 become base64 text; NaN and infinity become null, as JSON has none.
        value: Expression of the sequence.
        names: Functions for nested messages are added to it.
    """
    if isinstance(item, NamespacedType):
        encode = _bind(item, names)
        return f'[{encode}(i) for i in {value}]'
    if isinstance(item, BasicType):
        if item.typename == 'uint8':
            return f'b64({value})'
        if item.typename in FLOATS:
            return f'floats({value})'
        if item.typename == 'octet':
            return f'[i[0] for i in {value}]'
        if item.typename in TYPE_CODES:
            return f'{value}.tolist()'
    return f'list({value})'


def _bind(slot: NamespacedType, names: dict[str, Any]) -> str:
    name = '_'.join([*slot.namespaces, slot.name])
    names[name] = _encoder(_import(slot))
    return name


def _base64(value: Any) -> str:
    return b64encode(value).decode('ascii')


def _finite_list(value: Any) -> list[float | None]:
    """Return a list in which NaN and infinity are None; the sum is finite exactly if all numbers are, or rarely overflows."""
    numbers: list[float | None] = value.tolist()
    if math.isfinite(sum(numbers)):  # type: ignore[arg-type]  # numbers of an array are never None
        return numbers
    return [number if math.isfinite(number) else None for number in numbers]  # type: ignore[arg-type]


# JSON -> message


def _refuse(path: str, wanted: str, value: Any) -> FieldError:
    shown = repr(value)
    return FieldError(f"field '{path or '.'}': expected {wanted}, got {shown if len(shown) < 60 else shown[:57] + '...'}")


@functools.cache
def _object_decoder(kind: Any) -> Decoder:
    """Return the function that fills a message of one class."""
    full = type_name(kind)
    decoders = {name: _decoder(slot) for name, slot in _fields(kind)}
    headers = [name for name, slot in _fields(kind) if _is_header(slot)]
    stamped = full == 'std_msgs/msg/Header'
    if full in ('builtin_interfaces/msg/Time', 'builtin_interfaces/msg/Duration'):
        return _time_decoder(kind, decoders)

    def decode(values: Any, path: str, now: Now) -> Any:
        if type(values) is not dict:
            raise _refuse(path, f'an object of {full}', values)
        message = kind()
        for name, value in values.items():
            decoder = decoders.get(name)
            if decoder is None:
                raise FieldError(f"{full} has no field '{name}'" + (f" (in '{path}')" if path else ''))
            setattr(message, name, decoder(value, f'{path}.{name}' if path else name, now))
        if stamped and 'stamp' not in values:
            message.stamp = now()
        for name in headers:
            if name not in values:
                getattr(message, name).stamp = now()
        return message

    return decode


def _is_header(slot: Any) -> bool:
    return isinstance(slot, NamespacedType) and slot.name == 'Header' and slot.namespaces[0] == 'std_msgs'


def _time_decoder(kind: Any, decoders: dict[str, Decoder]) -> Decoder:
    """Return the function for Time and Duration, which also takes the field names of ROS 1 and the text "now"."""
    aliases = {'sec': 'sec', 'nanosec': 'nanosec', 'secs': 'sec', 'nsecs': 'nanosec'}

    def decode(values: Any, path: str, now: Now) -> Any:
        if values == 'now' and kind.__name__ == 'Time':
            return now()
        if not isinstance(values, dict):
            raise _refuse(path, 'an object with sec and nanosec', values)
        message = kind()
        for given, value in values.items():
            if given not in aliases:
                raise FieldError(f"{type_name(kind)} has no field '{given}'" + (f" (in '{path}')" if path else ''))
            setattr(message, aliases[given], decoders[aliases[given]](value, f'{path}.{given}', now))
        return message

    return decode


def _decoder(slot: Any) -> Decoder:
    """Return the function that makes a field's value of JSON data and refuses what does not fit its type."""
    if isinstance(slot, NamespacedType):
        return _object_decoder(_import(slot))
    if isinstance(slot, AbstractNestedType):
        return _list_decoder(slot)
    if isinstance(slot, AbstractGenericString):
        return _string_decoder(slot.maximum_size if slot.has_maximum_size() else None)
    return _basic_decoder(slot.typename)


def _basic_decoder(name: str) -> Decoder:
    """Return the function for a basic type of IDL, e.g. `uint8`, `double`, `octet` or `char`."""
    if name == 'boolean':
        return _decode_bool
    if name in FLOATS:
        return _float_decoder(FLOAT32_MAX if name == 'float' else math.inf)
    if name == 'octet':
        integer = _integer_decoder('uint8')
        return lambda value, path, now: bytes([integer(value, path, now)])
    if name in INTEGER_BITS:
        return _integer_decoder(name)
    return _string_decoder(1)


def _decode_bool(value: Any, path: str, _now: Now) -> bool:
    if value is True or value is False:
        return value
    raise _refuse(path, 'true or false', value)


def _integer_decoder(name: str) -> Decoder:
    """Return the function for an integer type; it refuses fractions, truth values and numbers out of range."""
    bits = INTEGER_BITS[name]
    low, high = (0, 2**bits - 1) if name[0] == 'u' else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def decode(value: Any, path: str, _now: Now) -> int:
        if type(value) is not int or not low <= value <= high:
            raise _refuse(path, f'an integer from {low} to {high}', value)
        return value

    return decode


def _float_decoder(largest: float) -> Decoder:
    """Return the function for float or double; null becomes NaN.

    Args:
        largest: Largest finite value of the type.
    """

    def decode(value: Any, path: str, _now: Now) -> float:
        if value is None:
            return math.nan
        if type(value) not in (int, float):
            raise _refuse(path, 'a number', value)
        number = float(value)
        if math.isfinite(number) and abs(number) > largest:
            raise _refuse(path, f'a number up to {largest:g}', value)
        return number

    return decode


def _string_decoder(longest: int | None) -> Decoder:
    """Return the function for a string.

    Args:
        longest: Largest number of characters; None = unlimited.
    """

    def decode(value: Any, path: str, _now: Now) -> str:
        if type(value) is not str:
            raise _refuse(path, 'a string', value)
        if longest is not None and len(value) > longest:
            raise _refuse(path, f'a string of at most {longest} characters', value)
        if not value.isascii() and any('\ud800' <= character <= '\udfff' for character in value):
            raise _refuse(path, 'text without lone surrogates', value)
        return value

    return decode


def _list_decoder(slot: Any) -> Decoder:
    """Return the function for arrays and sequences; numbers are converted as a whole where possible."""
    item = slot.value_type
    one = _decoder(item)
    code = TYPE_CODES.get(item.typename, '') if isinstance(item, BasicType) else ''
    exact = slot.size if isinstance(slot, Array) else None
    most = slot.maximum_size if isinstance(slot, BoundedSequence) else None

    def decode(value: Any, path: str, now: Now) -> Any:
        if code == 'B' and type(value) is str:
            items: Any = _bytes(value, path)
        elif type(value) is list:
            items = _numbers(value, code) if code else None
            if items is None:
                items = [one(entry, f'{path}[{index}]', now) for index, entry in enumerate(value)]
        else:
            raise _refuse(path, 'a list' if code != 'B' else 'base64 text or a list', value)
        if exact is not None and len(items) != exact:
            raise FieldError(f"field '{path}': expected exactly {exact} values, got {len(items)}")
        if most is not None and len(items) > most:
            raise FieldError(f"field '{path}': expected at most {most} values, got {len(items)}")
        if not code:
            return items
        whole = items if isinstance(items, array.array) else array.array(code, items)
        return np.frombuffer(whole, dtype=np.dtype(code)) if exact is not None else whole

    return decode


def _bytes(text: str, path: str) -> array.array[int]:
    try:
        return array.array('B', b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise _refuse(path, 'base64 text', text) from None


def _numbers(values: list[Any], code: str) -> array.array[Any] | None:
    """Return a list of numbers as an array, or None when its elements must be checked one by one.

    array.array would accept True as 1, hence the first check.
    """
    if any(entry is True or entry is False for entry in values):
        return None
    try:
        return array.array(code, values)
    except (TypeError, OverflowError, ValueError):
        return None
