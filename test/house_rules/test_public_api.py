"""A package uses another one by its public API only, and touches no private name of a ROS package or of another class."""

import ast
import importlib
import inspect
import sys
from pathlib import Path

import pytest
from house_rules.workspace import PACKAGES, SRC, Module, imported_names, modules, parsed, public_names

ROS_PACKAGES = {
    'rclpy',
    'launch',
    'launch_ros',
    'ros2cli',
    'cv_bridge',
    'rosidl_runtime_py',
    'rosbridge_server',
    'diagnostic_updater',
}
# The one module that may look at the executor's inside, each use probed at construction. See docs/decisions.
PRIVATE_ROS_USE: set[str] = set()


def inside_use(module: str, name: str | None, user: str) -> str | None:
    """Return why an import reaches into another package's inside, or None when it uses its public API."""
    parts = module.split('.')
    package = parts[0]
    if package not in PACKAGES or package in {user, 'cell_interfaces'}:
        return None
    public = public_names(package)
    if public is None:
        return f'{package} has no __all__'
    if len(parts) == 1:
        return None if name is None or name in public else f'{name} is not in {package}.__all__'
    for depth in range(1, len(parts)):
        if parts[depth] not in (public_names('.'.join(parts[:depth])) or ()):
            return f'{".".join(parts[: depth + 1])} is no public module of {".".join(parts[:depth])}'
    names = public_names(module)
    if names is None:
        return f'{module} has no __all__'
    return None if name is None or name in names else f'{name} is not in {module}.__all__'


@pytest.mark.parametrize('package', PACKAGES)
def test_a_package_names_its_public_api(package: str):
    public = public_names(package)
    assert public, f'{package}/__init__.py has no __all__'
    sub = {m.name.split('.')[1] for m in modules().values() if m.package == package and m.name.count('.') == 1}
    loaded = importlib.import_module(package)
    assert not [name for name in public if name not in sub and not hasattr(loaded, name)]


@pytest.mark.parametrize('module', list(modules().values()), ids=lambda m: m.label)
def test_a_module_uses_other_packages_by_their_public_api(module: Module):
    reasons = [
        f'line {line}: {reason}'
        for imported, name, line in imported_names(module.tree)
        if (reason := inside_use(imported, name, module.package))
    ]
    assert not reasons


@pytest.mark.parametrize('path', sorted(SRC.glob('*/test/**/*.py')), ids=lambda p: str(p.relative_to(SRC)))
def test_a_test_uses_other_packages_by_their_public_api(path: Path):
    tree = parsed(path)
    package = path.relative_to(SRC).parts[0]
    assert not [
        f'line {line}: {reason}'
        for imported, name, line in imported_names(tree)
        if (reason := inside_use(imported, name, package))
    ]


def test_an_import_of_another_packages_inside_is_found():
    assert inside_use('cell_weighing.station.store', 'WeighStore', 'cell_web')
    assert inside_use('cell_weighing', 'NoSuchName', 'cell_web')
    assert inside_use('cell_weighing.station.store', 'WeighStore', 'cell_weighing') is None


# -- private names --------------------------------------------------------------------------------------------------


DOCUMENTED = {'_exit'}
"""Public in spite of the underscore: os._exit is documented by Python."""


def is_private(name: str) -> bool:
    return name.startswith('_') and not (name.startswith('__') and name.endswith('__'))


def foreign_private_use(tree: ast.AST) -> list[str]:
    """Return uses of a private member of something that is neither self, cls, nor a class or module of this file."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    # A private member that a class of this file defines may be used by the rest of the file (friend access).
    defined = {
        *(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)),
        *(
            n.attr
            for n in ast.walk(tree)
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and root(n) in ('self', 'cls')
        ),
        *(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)),
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in {*defined, *DOCUMENTED}:
            if not (isinstance(node.value, ast.Name) and node.value.id in {'self', 'cls', *own}):
                found.append(f'line {node.lineno}: {ast.unparse(node)}')
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split('.')[0] not in {'__future__'}:
            private = [part for part in node.module.split('.') if is_private(part)]
            private += [alias.name for alias in node.names if is_private(alias.name)]
            found += [f'line {node.lineno}: imports {name}' for name in private]
    return found


def root(node: ast.Attribute) -> str:
    return node.value.id if isinstance(node.value, ast.Name) else ''


@pytest.mark.parametrize('module', list(modules().values()), ids=lambda m: m.label)
def test_a_module_uses_no_private_member_of_another(module: Module):
    assert module.name in PRIVATE_ROS_USE or not foreign_private_use(module.tree)


def ros_classes(module: Module) -> list[type]:
    loaded = sys.modules.get(module.name) or importlib.import_module(module.name)
    return [
        kind
        for _, kind in inspect.getmembers(loaded, inspect.isclass)
        if kind.__module__ == module.name and any(base.__module__.split('.')[0] in ROS_PACKAGES for base in kind.__mro__)
    ]


def private_members_of_ros_bases(kind: type) -> set[str]:
    """Return the private names that the ROS classes above a class define, as methods or as attributes of self."""
    names: set[str] = set()
    for base in kind.__mro__:
        if base.__module__.split('.')[0] in ROS_PACKAGES:
            names |= {name for name in vars(base) if is_private(name)}
            try:
                tree = ast.parse(inspect.getsource(sys.modules[base.__module__]))
            except (OSError, TypeError):
                continue
            names |= {
                n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and root(n) == 'self' and is_private(n.attr)
            }
    return {name for name in names if not name.startswith('__') and not name.startswith('_abc')}


def test_no_class_uses_a_private_member_of_its_ros_base_class():
    found = []
    for module in modules().values():
        imports_ros = any(name.split('.')[0] in ROS_PACKAGES for name, _, _ in imported_names(module.tree))
        if module.name in PRIVATE_ROS_USE or not imports_ros:
            continue
        for kind in ros_classes(module):
            body = next(n for n in ast.walk(module.tree) if isinstance(n, ast.ClassDef) and n.name == kind.__name__)
            used = {n.attr for n in ast.walk(body) if isinstance(n, ast.Attribute) and root(n) in ('self', 'cls')}
            used |= {n.name for n in body.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
            found += [f'{module.name}.{kind.__name__}: {name}' for name in sorted(used & private_members_of_ros_bases(kind))]
    assert not found


def test_every_exception_still_has_its_reason():
    for name in PRIVATE_ROS_USE:
        assert name in modules(), f'{name} is gone: take it off the list'


def test_a_private_member_of_another_is_found():
    assert foreign_private_use(ast.parse('executor._tasks'))
    assert foreign_private_use(ast.parse('from rclpy.executors import _WaitSet'))
    assert not foreign_private_use(ast.parse('self._tasks'))
