"""What a node is started with."""

from pathlib import Path

import pytest
from launch.actions import GroupAction, SetLaunchConfiguration
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import (
    Node,
    PushRosNamespace,
    SetParameter,
    SetParametersFromFile,
    SetRemap,
    SetROSLogDir,
    SetUseSimTime,
)
from launch_ros.descriptions import Parameter, ParameterFile, ParameterValue
from launch_ros.substitutions import ExecutableInPackage, FindPackagePrefix, FindPackageShare


def node(package, **options):
    return Node(package=package, executable='show', output='screen', **options)


def test_a_node_without_anything_keeps_its_own_name(show, package):
    assert show(node(package)).args == [['--ros-args']]


def test_name_namespace_arguments_and_remappings(show, package):
    shown = show(
        node(
            package,
            name='camera',
            namespace='cell',
            arguments=['--fast', LaunchConfiguration('x', default='1')],
            ros_arguments=['--log-level', 'debug'],
            remappings=[('a', ['b', LaunchConfiguration('x', default='1')])],
        )
    )
    assert shown.args == [
        [
            '--fast',
            '1',
            '--ros-args',
            '--log-level',
            'debug',
            '--ros-args',
            '-r',
            '__node:=camera',
            '-r',
            '__ns:=/cell',
            '-r',
            'a:=b1',
        ]
    ]


def test_the_label_is_the_executable_or_what_is_given(show, package):
    assert '[show-' in show(node(package)).out
    assert '[eye-' in show(node(package, exec_name='eye', name='camera')).out


@pytest.mark.parametrize(
    ('pushed', 'given', 'result'),
    [
        (['cell'], None, '/cell'),
        (['/a', 'b'], None, '/a/b'),
        (['a'], 'b', '/a/b'),
        (['a'], '/b', '/b'),
        (['a', '/'], 'b', '/b'),
        ([], 'b/', '/b'),
        ([], '/', '/'),
        (['a'], '', '/a'),
    ],
)
def test_namespaces_nest(show, package, pushed, given, result):
    shown = show(GroupAction([*[PushRosNamespace(name) for name in pushed], node(package, namespace=given)]), node(package))
    assert sorted(shown.args) == sorted([['--ros-args', '-r', f'__ns:={result}'], ['--ros-args']])


@pytest.mark.parametrize(
    'options', [{'name': 'a b'}, {'name': '1a'}, {'name': '/a'}, {'namespace': 'a//b'}, {'namespace': 'ä'}]
)
def test_a_wrong_name_is_refused(show, package, options):
    shown = show(node(package, **options))
    assert shown.code == 1
    assert 'invalid na' in shown.out or 'invalid node name' in shown.out


def test_parameters_keep_their_types(show, package):
    given = {
        'b': True,
        'i': 3,
        'f': 1.0,
        's': 'text',
        'digits': '5',
        'yes': 'true',
        'empty': '',
        'lines': 'a\nb: c',
        'ints': [1, 2],
        'floats': [1, 2.5],
        'texts': ['a', '5'],
        'bools': [True, False],
        'nested': {'x': {'y': 1e-9}},
    }
    shown = show(node(package, name='n', namespace='ns', parameters=[given]))
    expected = {**{key: value for key, value in given.items() if key != 'nested'}, 'nested.x.y': 1e-9, 'floats': [1.0, 2.5]}
    found = shown.parameters['/ns/n']['ros__parameters']
    assert found == expected
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in expected.items()}


def test_parameters_of_a_node_without_a_full_name_are_for_any_node(show, package):
    assert list(show(node(package, name='n', parameters=[{'a': 1}])).parameters) == ['/**']


def test_substituted_values_become_what_yaml_makes_of_them(show, package):
    def text(value):
        return LaunchConfiguration('missing', default=value)

    given = {
        'i': text('3'),
        'f': text('3.0'),
        'b': text('true'),
        's': text('abc'),
        'empty': text(''),
        'l': text('[1, 2]'),
        'joined': ['a', text('b')],
        'several': [[text('a')], [text('b'), 'c']],
        'kept': ParameterValue(text('3'), value_type=str),
        'float': ParameterValue(text('3'), value_type=float),
        'ints': ParameterValue(text('[1]'), value_type=list[int]),
        (text('na'), 'me'): 1,
    }
    found = show(node(package, parameters=[given])).parameters['/**']['ros__parameters']
    assert found == {
        'i': 3,
        'f': 3.0,
        'b': True,
        's': 'abc',
        'empty': '',
        'l': [1, 2],
        'joined': 'ab',
        'several': ['a', 'bc'],
        'kept': '3',
        'float': 3.0,
        'ints': [1],
        'name': 1,
    }


@pytest.mark.parametrize(
    'value',
    [
        None,
        object(),
        [],
        [1, 'a'],
        [True, 1],
        b'x',
        [None],
        LaunchConfiguration('m', default='{a: 1}'),
        LaunchConfiguration('m', default='a: b: c'),
        LaunchConfiguration('m', default='[]'),
    ],
)
def test_a_value_that_no_parameter_can_have_is_refused(show, package, value):
    shown = show(node(package, parameters=[{'wrong': value}]))
    assert shown.code == 1
    assert 'Caught exception in launch' in shown.out
    assert not shown.args


def test_parameter_files_and_single_parameters_come_in_their_order(show, package, tmp_path):
    path = tmp_path / 'a.yaml'
    path.touch()
    shown = show(
        node(
            package,
            parameters=[
                {'a': 1},
                str(path),
                Path(path),
                ParameterFile(path),
                PathJoinSubstitution([str(tmp_path), 'a.yaml']),
                Parameter('p', '5'),
                Parameter('q', LaunchConfiguration('x', default='5')),
            ],
        )
    )
    (args,) = shown.args
    assert args[1] == '--params-file'
    assert 'launch_params_' in args[2]
    assert args[3:] == ['--params-file', str(path)] * 4 + ['-p', 'p:=5', '-p', 'q:=5']


def test_a_parameter_file_that_is_missing_is_warned_of(show, package):
    shown = show(node(package, parameters=['/nonexistent.yaml']))
    assert shown.args == [['--ros-args']]
    assert 'Parameter file path is not a file: /nonexistent.yaml' in shown.out


def test_written_parameter_files_go_when_the_process_has_ended(show, package):
    (args,) = show(node(package, parameters=[{'a': 1}])).args
    assert not Path(args[-1]).exists()


def test_parameters_must_be_a_list():
    with pytest.raises(TypeError, match="'parameters'"):
        Node(executable='x', parameters={'a': 1})
    with pytest.raises(NotImplementedError, match='allow_substs'):
        ParameterFile('x', allow_substs=True)
    with pytest.raises(TypeError, match="in place of 'cmd'"):
        Node(executable='x', cmd=['x'])
    with pytest.raises(TypeError, match='Node: keyword arguments not known here: node_name'):
        Node(executable='x', node_name='y')


def test_what_is_set_for_a_group_ends_with_it(show, package, tmp_path):
    path = tmp_path / 'a.yaml'
    path.touch()
    shown = show(
        SetParameter('outer', 'text: with colon'),
        GroupAction(
            [
                SetParameter('inner', [1, 2]),
                SetUseSimTime(True),
                SetParametersFromFile(str(path)),
                SetRemap('a', 'b'),
                node(package, remappings=[('c', 'd')]),
            ]
        ),
        node(package),
    )
    outer = ['--ros-args', '-p', "outer:='text:", 'with', "colon'"]
    inner = ['-p', 'inner:=[1,', '2]', '-p', 'use_sim_time:=true', '--params-file', str(path), '-r', 'a:=b', '-r', 'c:=d']
    texts = [' '.join(args).replace("'", '') for args in shown.args]
    assert sorted(texts) == sorted([' '.join(outer).replace("'", ''), ' '.join(outer + inner).replace("'", '')])


def test_the_log_folder_of_nodes(show, package, tmp_path):
    import os

    show(SetROSLogDir(str(tmp_path)))
    assert os.environ['ROS_LOG_DIR'] == str(tmp_path)


def test_a_condition_decides(show, package):
    off = node(package, condition=IfCondition(LaunchConfiguration('on')))
    assert show(SetLaunchConfiguration('on', 'false'), off).args == []


def test_two_nodes_of_the_same_name_are_warned_of(show, package):
    shown = show(node(package, name='a', namespace='x'), node(package, name='a', namespace='x'), node(package, name='a'))
    assert shown.out.count('there are now at least 2 nodes with the name /x/a') == 1


def test_packages_and_executables_are_found(context, package):
    assert FindPackageShare(package).perform(context).endswith('/prefix/share/shown')
    assert FindPackagePrefix([package]).perform(context).endswith('/prefix')
    assert ExecutableInPackage('show', package).perform(context).endswith('/lib/shown/show')


def test_a_package_or_executable_that_is_missing_is_named(show, package):
    assert "executable 'readme' not found" in show(Node(package=package, executable='readme')).out
    assert "'no_such_package'" in show(Node(package='no_such_package', executable='x')).out


def test_what_is_left_out_is_named():
    with pytest.raises(ImportError, match=r'launch_ros\.actions\.LifecycleNode.*not part of'):
        from launch_ros.actions import LifecycleNode  # noqa: F401
