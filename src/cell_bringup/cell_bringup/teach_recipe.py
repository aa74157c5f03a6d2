"""`cell robot new-recipe`: a recipe in which no place is taught yet; it runs without a cell."""

from __future__ import annotations

import argparse

from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_robot.motion import ARMS
from cell_robot.recipe_file import RecipeError, parse_recipe
from cell_robot.teaching.new_recipe import NewRecipe, recipe_text
from rich.console import Console
from rich.markup import escape
from yaml import safe_load

REFUSED = 1


def write_new_recipe(options: argparse.Namespace, console: Console) -> int:
    """Write a new recipe file and return the exit code; an existing file is never replaced.

    Args:
        options: Of the command line.
        console: Output.
    """
    if options.model not in ARMS:
        console.print(f'[red]There is no arm {escape(options.model)}. There are: {", ".join(ARMS)}.[/]')
        return REFUSED
    try:
        parts = tuple(load_catalogue(options.catalogue).parts)
        wanted = NewRecipe(
            options.model, options.tool_length, options.payload, parts, options.trays, options.rows, options.columns
        )
        text = recipe_text(wanted)
        untaught = len(set(parse_recipe(safe_load(text), partial=True).untaught))
        with options.file.open('x', encoding='utf-8') as file:
            file.write(text)
    except FileExistsError:
        console.print(f'[red]{escape(str(options.file))} exists already. Choose another name, or teach it: cell robot teach[/]')
        return REFUSED
    except (OSError, CatalogueError, RecipeError) as error:
        console.print(f'[red]{escape(str(error))}[/]')
        return REFUSED
    console.print(f'{escape(str(options.file))} is written; {untaught} places are not taught yet.')
    console.print(
        '1. Look at tool, workspace and gripper in it.\n2. Start the cell with robot_backend:=rtde and this recipe_file.'
    )
    console.print('3. Teach the places: [bold]cell robot teach[/]')
    return 0
