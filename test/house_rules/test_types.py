"""Signatures say their types, and no function asks for eight things one by one."""

import ast
from collections.abc import Iterator

import pytest
from house_rules.workspace import PACKAGES, Module, modules

MOST_ARGUMENTS = 7
MOST_ANY_PERCENT = 3.0


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    arguments = function.args
    for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
        if argument is not None and argument.annotation is not None:
            yield argument.annotation
    if function.returns is not None:
        yield function.returns


def uses_any(annotation: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == 'Any' for node in ast.walk(annotation))


@pytest.mark.parametrize('package', PACKAGES)
def test_few_signatures_say_any(package: str):
    own = [f for module in modules().values() if module.package == package for f in functions(module)]
    vague = [f.name for f in own if any(uses_any(a) for a in annotations(f))]
    assert 100 * len(vague) / len(own) <= MOST_ANY_PERCENT, f'{len(vague)} of {len(own)} functions: {sorted(set(vague))}'


@pytest.mark.parametrize('module', list(modules().values()), ids=lambda m: m.label)
def test_a_function_with_many_arguments_takes_a_settings_object(module: Module):
    def count(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        arguments = function.args
        names = [a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
        return len([name for name in names if name not in {'self', 'cls'}])

    assert not [f'line {f.lineno}: {f.name} takes {count(f)}' for f in functions(module) if count(f) > MOST_ARGUMENTS]


def test_any_in_a_signature_is_found():
    function = ast.parse('def f(a: dict[str, Any]) -> int: ...').body[0]
    assert isinstance(function, ast.FunctionDef)
    assert any(uses_any(a) for a in annotations(function))
