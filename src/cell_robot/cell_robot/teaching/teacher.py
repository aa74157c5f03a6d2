"""Takes the arm's present pose as a place of the recipe, after checks of limits, reach and paths."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cell_common.error_code import ErrorCode
from cell_common.yaml_model import YamlError

from cell_robot.backends.base import ArmReading
from cell_robot.motion.path_check import MoveError
from cell_robot.motion.place_check import PlaceFinding, check_place
from cell_robot.motion.recipe import CellRecipe
from cell_robot.teaching.recipe_store import RecipeStore, StoreError
from cell_robot.teaching.recipe_text import Place, RecipeText

CHANGED = (
    'The recipe file has another robot, tool, gripper or motion limits than the one that the robot node has loaded. '
    'Restart the robot node first.'
)


@dataclass(frozen=True)
class TeachResult:
    """End of a request to take or to check a place."""

    code: ErrorCode
    message: str
    """Result, or error and remedy."""
    findings: list[PlaceFinding] = field(default_factory=list)
    place: Place | None = None
    """The place with the value that was taken, or would be."""
    former: Path | None = None
    """Former version of the file; None when nothing was written."""
    recipe: CellRecipe | None = None
    """The new recipe, after a place was taken."""


class Teacher:
    """Teaches one recipe file. Reading and checks last up to some tenths of a second: not in the executor's thread."""

    def __init__(self, path: str) -> None:
        """Read the file.

        Raises:
            StoreError: It cannot be read.
            YamlError: It is no recipe.
        """
        self._store = RecipeStore(Path(path))
        self._settings = _settings(RecipeText(self._store.read()))

    @property
    def path(self) -> Path:
        """Path of the recipe file."""
        return self._store.path

    def places(self) -> list[Place]:
        """Return the places of the file.

        Raises:
            StoreError: It cannot be read.
            YamlError: It is no recipe.
        """
        return RecipeText(self._store.read()).places()

    def take(self, name: str, reading: ArmReading, *, check_only: bool) -> TeachResult:
        """Take, or only check, the arm's pose as a place.

        Args:
            name: Name of the place.
            reading: Where the arm stands.
            check_only: Write nothing.
        """
        try:
            before = RecipeText(self._store.read())
            place = before.place(name)
            if place is None:
                message = f'The recipe has no place {name}. List them: "cell robot teach --list".'
                return TeachResult(ErrorCode.INVALID_ARGUMENT, message)
            if _settings(before) != self._settings:
                return TeachResult(ErrorCode.NOT_READY, CHANGED)
            after = before.changed(place, reading.joints, reading.tool)
            return self._keep(place, before, after, reading, check_only=check_only)
        except (StoreError, YamlError) as error:
            return TeachResult(ErrorCode.STORAGE_FAILED, str(error))
        except (ValueError, MoveError) as error:
            return TeachResult(ErrorCode.OUT_OF_REACH, str(error))

    def _keep(
        self, place: Place, before: RecipeText, after: RecipeText, reading: ArmReading, *, check_only: bool
    ) -> TeachResult:
        recipe = after.model.recipe()
        findings = check_place(recipe, place.name, reading.joints)
        taken = after.place(place.name)
        failed = next((finding for finding in findings if not finding.ok), None)
        if failed is not None:
            message = f'{place.name} cannot be taken here: {failed.name}: {failed.message}'
            return TeachResult(ErrorCode.OUT_OF_REACH, message, findings, taken)
        if check_only:
            return TeachResult(ErrorCode.OK, f'{place.name} can be taken here.', findings, taken)
        former = self._store.write(after.text, before.text)
        left = len([other for other in after.places() if not other.taught])
        rest = f'{left} places are left.' if left else 'The recipe is complete.'
        return TeachResult(ErrorCode.OK, f'{place.name} is taught. {rest}', findings, taken, former, recipe)


def _settings(text: RecipeText) -> tuple[object, ...]:
    """Return what of a recipe the robot node only reads at its start."""
    model = text.model
    limits = model.workspace, model.table, model.obstacles, model.joint_limits
    return model.robot, model.tool, model.gripper, model.speeds, model.units, *limits
