import json

import pytest
from cell_weighing.delivery.settings import (
    KEY_VARIABLE,
    SettingsError,
    WebAppSettings,
    parse_settings,
    read_api_key,
    read_settings,
    settings_path,
)

OLD = {
    'host': '0.0.0.0',
    'port': 10001,
    'site_url': 'https://app.example/',
    'controller': 'api/prepuff',
    'function': 'scan_bag',
    'api_key': 's3cret',
    'station': 'A',
}


def test_the_old_file_is_read_as_it_is(tmp_path):
    path = tmp_path / 'settings.json'
    path.write_bytes(b'\xef\xbb\xbf' + json.dumps(OLD | {'theme': 'dark'}).encode())
    settings = read_settings(str(path))
    assert (settings.host, settings.port, settings.station) == ('0.0.0.0', 10001, 'A')
    assert settings.url == 'https://app.example/api/prepuff/scan_bag'


@pytest.mark.parametrize(
    'site', ['https://app.example', 'https://app.example/', 'https://app.example//', ' https://app.example ']
)
@pytest.mark.parametrize('controller', ['api/prepuff', '/api/prepuff', 'api/prepuff/', '/api/prepuff/'])
@pytest.mark.parametrize('function', ['scan_bag', '/scan_bag'])
def test_parts_of_an_address_are_joined_with_one_slash_however_they_are_written(site, controller, function):
    text = json.dumps({'site_url': site, 'controller': controller, 'function': function})
    assert parse_settings(text).url == 'https://app.example/api/prepuff/scan_bag'


def test_an_address_may_lack_controller_or_function():
    assert parse_settings('{"site_url": "https://a.b/x", "function": "f"}').url == 'https://a.b/x/f'
    assert parse_settings('{"site_url": "HTTPS://a.b/x/"}').url == 'HTTPS://a.b/x'


def test_a_file_in_the_state_folder_is_found_unless_another_is_named(tmp_path):
    assert settings_path('', tmp_path) == '' and settings_path('', None) == ''
    (tmp_path / 'settings.json').write_text('{}')
    assert settings_path('', tmp_path) == str(tmp_path / 'settings.json')
    assert settings_path('other.json', tmp_path) == 'other.json'


def test_no_file_is_no_web_application():
    assert read_settings('').url == ''


def test_a_port_may_be_text():
    assert parse_settings('{"port": "10001"}').port == 10001


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('{', 'not JSON'),
        ('{"port": 10001,\n "api_key": "s3cret",\n}', 'line 3, column 1'),
        ('[]', 'one JSON object'),
        ('{"port": "many"}', 'port must be'),
        ('{"port": 70000}', 'port must be'),
        ('{"station": ["A"]}', 'station must be'),
        ('{"site_url": "app.example/"}', 'http://'),
        ('{"site_url": "http://"}', 'host name'),
        ('{"site_url": "http:///api"}', 'host name'),
        ('{"site_url": "https:/app.example"}', 'http://'),
        ('{"site_url": "https://app.example:port", "function": "f"}', 'app.example:port/f'),
        ('{"site_url": "https://app .example"}', 'app .example'),
        ('{"site_url": "https://user:pw@app.example"}', 'host name'),
    ],
)
def test_an_invalid_file_is_refused_with_the_cause(text, word):
    with pytest.raises(SettingsError, match=word):
        parse_settings(text)


def test_a_missing_file_is_refused_with_the_cause(tmp_path):
    with pytest.raises(SettingsError, match='cannot read the settings file'):
        read_settings(str(tmp_path / 'none.json'))


def test_the_key_comes_from_file_then_variable_then_settings(tmp_path):
    file = tmp_path / 'key'
    file.write_text('from-file\n')
    settings = parse_settings(json.dumps(OLD))
    assert read_api_key(settings, str(file), {KEY_VARIABLE: 'from-variable'}) == 'from-file'
    assert read_api_key(settings, '', {KEY_VARIABLE: 'from-variable'}) == 'from-variable'
    assert read_api_key(settings, '', {}) == 's3cret'


def test_a_key_that_cannot_be_is_refused_and_not_shown(tmp_path):
    cases = (WebAppSettings(), ''), (WebAppSettings(), str(tmp_path / 'none')), (WebAppSettings(api_key='s3 cret'), '')
    for settings, file in cases:
        with pytest.raises(SettingsError) as refused:
            read_api_key(settings, file, {})
        assert 's3' not in str(refused.value)


def test_a_key_with_the_word_bearer_is_named():
    with pytest.raises(SettingsError, match='write the key alone') as raised:
        read_api_key(WebAppSettings(api_key='Bearer s3cret'), '', {})
    assert 's3cret' not in str(raised.value)


def test_the_key_is_not_in_the_repr():
    assert 's3cret' not in repr(parse_settings(json.dumps(OLD)))
