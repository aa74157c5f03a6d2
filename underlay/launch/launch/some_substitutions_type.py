"""What may stand wherever a text is wanted: a text, a substitution, or several of them one after the other."""

import collections.abc
from collections.abc import Iterable

from .substitution import Substitution

SomeSubstitutionsType = str | Substitution | Iterable[str | Substitution]

SomeSubstitutionsType_types_tuple = (str, Substitution, collections.abc.Iterable)
