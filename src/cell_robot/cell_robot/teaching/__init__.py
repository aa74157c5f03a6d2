"""Teaching: the recipe is filled in place by place, from where the arm stands.

    recipe_text   which places a recipe file has, and the text with another value in it; pure
    new_recipe    text of a recipe in which no place is taught yet; pure
    recipe_store  the file, written as a whole, with its former versions
    teacher       takes or checks the arm's present pose as a place

Other packages use `new_recipe`.
"""

__all__ = ['new_recipe']
