"""The error of a substitution that cannot be made."""


class SubstitutionFailure(RuntimeError):
    """A substitution cannot be made in this context."""
