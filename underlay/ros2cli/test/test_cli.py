"""The command and its extensions."""

import argparse
import sys

import pytest
from ros2cli import cli, entry_points, plugin_system
from ros2cli.command import CommandExtension, add_subparsers_on_demand
from ros2cli.verb import VerbExtension, get_verb_extensions


class Say(CommandExtension):
    """Say a word.

    More of it.
    """

    def add_arguments(self, parser, cli_name):
        parser.add_argument('word', nargs='?', default='nothing')

    def main(self, *, parser, args):
        sys.stdout.write(f'{args.word}\n')
        if args.word == 'fail':
            raise RuntimeError('it failed')
        return 3


class Verbose(CommandExtension):
    """Have verbs."""

    def add_arguments(self, parser, cli_name):
        add_subparsers_on_demand(parser, cli_name, 'verb', 'test.verb', required=False)

    def main(self, *, parser, args):
        return args.verb.main(args=args)


class Say2(VerbExtension):
    """Say it as a verb."""

    def main(self, *, args):
        return f'verb {self.NAME}'


class Broken(CommandExtension):
    """Never come to be."""

    def __init__(self):
        plugin_system.satisfies_version('0.1', '^0.2')


class Point:
    def __init__(self, name, extension):
        self.name = name
        self._extension = extension
        self.loaded = 0

    def load(self):
        self.loaded += 1
        if isinstance(self._extension, Exception):
            raise self._extension
        return self._extension


@pytest.fixture(autouse=True)
def points(monkeypatch):
    """Return the entry points of the test by group."""
    groups = {
        'ros2cli.command': [
            Point('say', Say),
            Point('verbose', Verbose),
            Point('broken', Broken),
            Point('gone', ImportError('x')),
        ],
        'test.verb': [Point('say', Say2)],
    }
    installed = argparse.Namespace(select=lambda group: groups[group])
    monkeypatch.setattr(entry_points, '_installed', lambda: installed)
    return groups


def test_a_command_gets_its_arguments_and_gives_the_exit_code(capsys):
    assert cli.main(argv=['say', 'hello']) == 3
    assert capsys.readouterr().out == 'hello\n'


def test_a_failing_command_says_why():
    assert cli.main(argv=['say', 'fail']) == 'it failed'


def test_without_a_command_those_that_work_are_listed(capsys, caplog):
    assert cli.main(argv=[]) == 0
    out = capsys.readouterr().out
    assert 'say      Say a word\n' in out
    assert 'broken' not in out
    assert "Failed to load entry point 'gone'" in caplog.text
    assert "the extension requires '^0.2'" in caplog.text


def test_only_the_command_wanted_is_loaded(points, capsys):
    cli.main(argv=['say'])
    assert [point.loaded for point in points['ros2cli.command']] == [1, 0, 0, 0]


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(argv=['sing'])
    assert end.value.code == 2


def test_a_verb_may_be_named_like_a_command(monkeypatch):
    monkeypatch.setattr('sys.argv', ['ros2', 'verbose', 'say'])
    assert cli.main() == 'verb say'


def test_one_extension_can_be_a_program_of_its_own(capsys):
    assert cli.main(script_name='say', argv=['x'], extension=Say()) == 3


def test_verbs_know_their_names():
    assert get_verb_extensions('test.verb')['say'].NAME == 'say'
    assert entry_points.get_first_line_doc(Say) == 'Say a word'
    assert entry_points.get_first_line_doc(argparse.Namespace(__doc__=None)) == ''


@pytest.mark.parametrize(
    ('there', 'wanted', 'fits'),
    [
        ('0.1', '^0.1', True),
        ('0.1', '^0.2', False),
        ('0.2', '^0.1', False),
        ('1.4', '^1.2', True),
        ('2.0', '^1.2', False),
    ],
)
def test_versions(there, wanted, fits):
    if fits:
        plugin_system.satisfies_version(there, wanted)
    else:
        with pytest.raises(plugin_system.PluginException):
            plugin_system.satisfies_version(there, wanted)
