from typing import Literal

import pytest
from cell_common.yaml_model import StrictModel, YamlDocument, YamlError, load_yaml, validate
from pydantic import Field, field_validator


class Item(StrictModel):
    name: str
    size: int = Field(ge=1)
    mode: Literal['slow', 'fast'] = 'slow'

    @field_validator('name')
    @classmethod
    def _check_name(cls, value: str) -> str:
        if value == 'bad':
            raise ValueError('name bad is reserved')
        return value


class File(StrictModel):
    items: list[Item]
    speed: float = 1.0


def errors_of(tmp_path, text):
    path = tmp_path / 'file.yaml'
    path.write_text(text)
    with pytest.raises(YamlError) as caught:
        validate(File, load_yaml(path), {'items': 'name'})
    return caught.value.messages


def test_a_file_that_fits_becomes_a_model(tmp_path):
    path = tmp_path / 'file.yaml'
    path.write_text('items:\n  - {name: one, size: 3, mode: fast}\nspeed: 2\n')
    assert validate(File, load_yaml(path)) == File(items=[Item(name='one', size=3, mode='fast')], speed=2.0)


def test_each_error_names_line_place_and_remedy(tmp_path):
    text = 'items:\n  - name: one\n    size: 0\n  - name: bad\n    size: "3"\n    color: red\n  - size: 1\nspeed: fast\n'
    assert errors_of(tmp_path, text) == (
        'line 3: item 1 (one): size must be 1 or more',
        'line 4: item 2 (bad): name bad is reserved',
        'line 5: item 2 (bad): size must be a whole number',
        'line 6: item 2 (bad): unknown key "color"',
        'line 7: item 3 (no name): name is missing',
        'line 8: speed must be a number',
    )


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('items: 3', 'line 1: items must be a list'),
        ('items: [3]', 'line 1: item 1 (no name) is not a mapping'),
        ('items: [{name: one, size: 1, mode: idle}]', "line 1: item 1 (one): mode must be 'slow' or 'fast'"),
        ('items: [{name: one, size: yes}]', 'line 1: item 1 (one): size must be a whole number'),
        ('', 'the file is not a mapping'),
    ],
)
def test_a_value_of_another_type_is_named(tmp_path, text, message):
    assert errors_of(tmp_path, text) == (message,)


@pytest.mark.parametrize(('text', 'line'), [('a: [', 1), ('a: 1\nb: {', 2), ('a: 1\n  b: 2', 2)])
def test_a_file_that_is_no_yaml_names_the_line(tmp_path, text, line):
    with pytest.raises(YamlError, match=rf'line [{line}-9]: not YAML'):
        path = tmp_path / 'file.yaml'
        path.write_text(text)
        load_yaml(path)


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    path = tmp_path / 'file.yaml'
    path.write_bytes(b'\xff\xfe\xff')
    with pytest.raises(YamlError, match='not YAML'):
        load_yaml(path)


def test_an_alias_inside_its_own_anchor_ends(tmp_path):
    assert errors_of(tmp_path, 'items: &a\n  - *a\n')


def test_data_without_a_file_has_no_lines():
    with pytest.raises(YamlError) as caught:
        validate(File, YamlDocument({'items': [], 'speed': 'x'}))
    assert caught.value.messages == ('speed must be a number',)
