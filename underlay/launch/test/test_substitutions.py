"""Substitutions and conditions."""

import pytest
from launch.conditions import (
    IfCondition,
    InvalidConditionExpressionError,
    LaunchConfigurationEquals,
    LaunchConfigurationNotEquals,
    UnlessCondition,
)
from launch.substitutions import (
    AllSubstitution,
    AndSubstitution,
    AnySubstitution,
    Command,
    EnvironmentVariable,
    EqualsSubstitution,
    FileContent,
    FindExecutable,
    IfElseSubstitution,
    LaunchConfiguration,
    LocalSubstitution,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
    PathJoinSubstitution,
    PythonExpression,
    SubstitutionFailure,
    TextSubstitution,
    ThisLaunchFileDir,
)
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions


def test_texts_and_substitutions_mix(context):
    context.launch_configurations['cell'] = 'left'
    parts = normalize_to_list_of_substitutions(['/', LaunchConfiguration('cell'), TextSubstitution(text='/camera')])
    assert perform_substitutions(context, parts) == '/left/camera'


@pytest.mark.parametrize('wrong', [5, None, [3], ['a', None]])
def test_what_is_no_text_is_refused(wrong):
    with pytest.raises(TypeError, match='expected a text or a substitution'):
        normalize_to_list_of_substitutions(wrong)


def test_a_launch_configuration_has_a_default(context):
    assert LaunchConfiguration('missing', default=5).perform(context) == '5'
    assert LaunchConfiguration('missing', default=['a', TextSubstitution(text='b'), 1]).perform(context) == 'ab1'
    assert LaunchConfiguration('missing', default=False).perform(context) == 'False'


def test_a_missing_launch_configuration_is_named(context):
    with pytest.raises(SubstitutionFailure, match="'missing'"):
        LaunchConfiguration('missing').perform(context)


def test_environment_variables(context, monkeypatch):
    monkeypatch.setenv('CELL', 'left')
    assert EnvironmentVariable('CELL').perform(context) == 'left'
    assert EnvironmentVariable('CELL_MISSING', default_value='none').perform(context) == 'none'
    with pytest.raises(SubstitutionFailure, match="'CELL_MISSING'"):
        EnvironmentVariable('CELL_MISSING').perform(context)


def test_paths_are_joined(context):
    context.launch_configurations['file'] = 'cell.yaml'
    assert PathJoinSubstitution(['/opt', 'config', LaunchConfiguration('file')]).perform(context) == '/opt/config/cell.yaml'


@pytest.mark.parametrize(
    ('left', 'right', 'equal'),
    [
        ('a', 'a', True),
        ('a', 'b', False),
        ('1', 'true', True),
        ('True', True, True),
        ('0', 'false', True),
        (2, 2.0, True),
        ('2.0', 2, True),
        ('2', '3', False),
        (None, '', True),
        ('false', '', False),
    ],
)
def test_equality(context, left, right, equal):
    assert EqualsSubstitution(left, right).perform(context) == str(equal).lower()
    assert NotEqualsSubstitution(left, right).perform(context) == str(not equal).lower()


def test_truths_combine(context):
    assert NotSubstitution('false').perform(context) == 'true'
    assert AndSubstitution('true', '1').perform(context) == 'true'
    assert AndSubstitution('true', 'False').perform(context) == 'false'
    assert OrSubstitution('false', 'true').perform(context) == 'true'
    assert AllSubstitution('true', 'true', 'false').perform(context) == 'false'
    assert AnySubstitution('false', 'false', 'true').perform(context) == 'true'
    assert IfElseSubstitution('true', 'a', 'b').perform(context) == 'a'
    assert IfElseSubstitution('false', 'a', 'b').perform(context) == 'b'


def test_what_is_neither_true_nor_false_is_refused(context):
    with pytest.raises(SubstitutionFailure, match="'perhaps'"):
        AndSubstitution('true', 'perhaps').perform(context)
    with pytest.raises(RuntimeError, match='must be specified'):
        IfElseSubstitution('true')


def test_python_expressions(context):
    context.launch_configurations['n'] = '3'
    assert PythonExpression([LaunchConfiguration('n'), ' * 2 + floor(0.5)']).perform(context) == '6'
    assert PythonExpression('os.sep', ['os']).perform(context) == '/'
    with pytest.raises(NameError):
        PythonExpression('os.sep').perform(context)


def test_commands_and_files(context, tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('content')
    assert FileContent(str(path)).perform(context) == 'content'
    assert Command(['cat ', str(path)]).perform(context) == 'content'
    assert FindExecutable(name='sh').perform(context).endswith('/sh')


@pytest.mark.parametrize(
    'substitution',
    [
        FileContent('/nonexistent'),
        Command('false'),
        Command('/nonexistent'),
        Command("sh -c 'echo no >&2'"),
        Command('true', on_stderr='sometimes'),
        FindExecutable(name='no-such-program'),
        ThisLaunchFileDir(),
    ],
)
def test_a_substitution_that_cannot_be_made_says_so(context, substitution):
    with pytest.raises(SubstitutionFailure):
        substitution.perform(context)


def test_locals(context):
    context.extend_locals({'event': 'started'})
    assert LocalSubstitution('event.upper()').perform(context) == 'STARTED'
    with pytest.raises(AttributeError, match='does not contain'):
        _ = context.locals.missing
    with pytest.raises(AttributeError, match='read-only'):
        context.locals.event = 'x'


@pytest.mark.parametrize(('text', 'holds'), [('true', True), ('1', True), ('TRUE ', True), ('false', False), ('0', False)])
def test_conditions(context, text, holds):
    context.launch_configurations['sim'] = text
    assert IfCondition(LaunchConfiguration('sim')).evaluate(context) is holds
    assert UnlessCondition(LaunchConfiguration('sim')).evaluate(context) is not holds


@pytest.mark.parametrize('text', ['', 'yes', '2'])
def test_a_condition_that_is_neither_true_nor_false_is_refused(context, text):
    with pytest.raises(InvalidConditionExpressionError, match='expected one of'):
        IfCondition(text).evaluate(context)


@pytest.mark.filterwarnings('ignore:.*deprecated')
def test_conditions_on_a_configuration(context):
    context.launch_configurations['robot'] = 'ur5e'
    assert LaunchConfigurationEquals('robot', 'ur5e').evaluate(context)
    assert LaunchConfigurationNotEquals('robot', 'ur10').evaluate(context)
    assert not LaunchConfigurationEquals('robot', None).evaluate(context)
    assert LaunchConfigurationEquals('missing', None).evaluate(context)


def test_a_substitution_that_is_left_out_is_named():
    with pytest.raises(ImportError, match=r'launch\.substitutions\.AnonName.*not part of'):
        from launch.substitutions import AnonName  # noqa: F401
