"""Names and sentences in the field's words: a short list of words that must not come back."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from house_rules.workspace import ROOT, SRC, modules, parsed

# Parts of identifiers (snake_case and CamelCase) and the term to use instead.
WORDS = {
    'anew': 'again',
    'bell': 'wake_event',
    'carrier': 'executor',
    'chance': 'random_fn',
    'complain': 'on_error',
    'courier': 'sender',
    'desk': 'commands, admission',
    'dialler': 'client',
    'heard': 'last_seen, latest',
    'hear': 'update',
    'keeper': 'archive, sync',
    'parcel': 'item',
    'patience': 'timeout',
    'patient': 'stall_compensating',
    'teller': 'progress_reporter',
    'tell': 'notify, log, report',
    'told': 'on_progress, notified',
    'trouble': 'error, message',
    'veil': 'overlay',
    'witness': 'check',
    'witnessed': 'checked',
}
# Whole identifiers of the old vocabulary, with the name to use.
NAMES = {
    'take_up': 'restore',
    'carry_out': 'execute',
    'let_go': 'release',
    'ring_all': 'wake_all',
    'hear_anew': 'wait_for_fresh',
    'put_right': 'correct',
    'read_unasked': 'read_continuously',
    'PATIENCE_S': 'TIMEOUT_S',
    'NANOSECONDS': 'cell_common.time.NS_PER_S',
}
# Phrases in docstrings, comments and messages that a native reader stumbles over.
PHRASES = re.compile(
    r'\b(anew|whoever|what comes|nothing came|at most so|so long as|'
    r'(?:is|are|was|were) told|(?:was|were|is|never) heard|heard of|'
    r'take up|taken up|takes up|let go|lets go|knows? nothing|puts? right|by itself again|carr(?:y|ies|ied) out|in hand|'
    r'somebody|a person|the way to the robot|news of|keeps? books?|books of)\b',
    re.IGNORECASE,
)
# British spellings; American ones are used everywhere, `catalogue` excepted.
BRITISH = re.compile(
    r'\b(colour\w*|grey\w*|normalis\w*|centre[ds]?|behaviour\w*|serialis\w*|initialis\w*|recognis\w*|neighbour\w*|summaris\w*|'
    r'organis\w*|optimis\w*|honour\w*|labell\w*|travell\w*|favour\w*|synchronis\w*|minimis\w*|maximis\w*|quantis\w*)\b',
    re.IGNORECASE,
)
FOLDERS = ('src', 'launch', 'test', 'bench', 'tools')
HERE = Path(__file__).name


def python_files() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob('*.py')):
            if 'node_modules' not in path.parts and path.name != HERE:
                yield path


def words_of(identifier: str) -> list[str]:
    """Split snake_case and CamelCase into lower-case words."""
    return [word.lower() for word in re.findall(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+', identifier)]


def defined_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield (name, line) of each class, function, argument, variable and attribute that a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def bad_names(tree: ast.AST) -> list[str]:
    found = []
    for name, line in defined_names(tree):
        advice = NAMES.get(name.strip('_')) or next((WORDS[w] for w in words_of(name) if w in WORDS), None)
        if advice:
            found.append(f'line {line}: {name}, say {advice}')
    return found


def comments_and_strings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each comment and each text of more than one word."""
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            text_tokens = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, 'FSTRING_MIDDLE', tokenize.STRING)}
            if token.type in text_tokens and ' ' in token.string:
                yield token.start[0], token.string


def bad_phrases(text: str) -> list[str]:
    return [match.group() for rule in (PHRASES, BRITISH) for match in rule.finditer(text)]


@pytest.mark.parametrize('path', list(python_files()), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_uses_the_words_of_the_field(path: Path):
    found = bad_names(parsed(path))
    found += [f'line {line}: "{phrase}"' for line, text in comments_and_strings(path) for phrase in bad_phrases(text)]
    assert not found


def pages() -> list[Path]:
    hmi = SRC / 'cell_web' / 'hmi'
    texts = [*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md'), *(ROOT / 'underlay').glob('*.md'), hmi / 'STYLE.md']
    texts += [p for suffix in ('*.ts', '*.svelte') for p in (hmi / 'src').rglob(suffix) if 'generated' not in p.parts]
    texts += [
        *(ROOT / 'config').glob('*.yaml'),
        *(SRC / 'cell_interfaces').glob('*/*.*'),
        *(SRC / 'cell_robot').glob('urscript/*'),
    ]
    return sorted(path for path in texts if path.is_file())


@pytest.mark.parametrize('path', pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_is_written_in_plain_english(path: Path):
    # CSS and SVG spell "center" and "gray" their own way; only phrases and British prose are looked for.
    found = [
        f'line {number}: "{phrase}"'
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1)
        for phrase in bad_phrases(line)
    ]
    assert not found


SHARED = {'Base'}
"""SQLAlchemy's convention for the base class of a package's tables."""


def test_each_class_name_stands_for_one_thing():
    owners: dict[str, set[str]] = {}
    for module in modules().values():
        for node in module.tree.body:
            if (
                isinstance(node, ast.ClassDef) and not node.name.startswith('_') and node.name != 'Base'
            ):  # SQLAlchemy's convention
                owners.setdefault(node.name, set()).add(module.name)
    assert not {name: sorted(where) for name, where in owners.items() if len(where) > 1}


@pytest.mark.parametrize(
    'source', ['class TriggerDesk: ...', 'def f(told): ...', 'x = 1\nself.heard = x', 'def take_up(): ...']
)
def test_an_old_name_is_found(source: str):
    assert bad_names(ast.parse(source))


@pytest.mark.parametrize('text', ['Connect anew.', 'the colour of the box', 'Whoever asks', 'nothing came for 30 s'])
def test_an_old_phrase_is_found(text: str):
    assert bad_phrases(text)


@pytest.mark.parametrize('text', ['idle timeout: no data for 30 s', 'the catalogue', 'Release the handles.'])
def test_plain_english_is_not_reported(text: str):
    assert not bad_phrases(text)


def test_a_class_name_stands_for_one_thing():
    """A class is found by its name: each package has its own declarative base of SQLAlchemy, all other names are unique."""
    places: dict[str, list[str]] = {}
    for module in modules().values():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith('_') and '.migrations.' not in module.name:
                places.setdefault(node.name, []).append(module.label)
    assert {name for name, labels in places.items() if len(labels) > 1} == {'Base'}
