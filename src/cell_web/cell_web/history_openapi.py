"""OpenAPI 3.1 description of the history, made of the rows that the routes return.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

JsonObject = dict[str, object]

_KINDS = {
    'pieces': 'Booked pieces of the pick jobs, with verdict, reading and clip',
    'jobs': 'Pick jobs',
    'bags': 'Weighed bags',
    'alarms': 'Alarms: raised, acknowledged by whom, cleared, with clip',
    'commands': 'Commands: who, when, from where, what, result',
    'stock': 'Entries of the stock ledger',
}
_TEXT: JsonObject = {'type': 'string', 'maxLength': 100}
_TIME: JsonObject = {'type': 'string', 'examples': ['2026-11-29T14:03:00Z']}
_PARAMETERS: dict[str, tuple[str, JsonObject]] = {
    'since': ('From this time, ISO 8601; without a zone it is UTC.', _TIME),
    'until': ('Before this time.', _TIME),
    'part': ('Part number.', _TEXT),
    'job': ('Id of a pick job; of bags: number of a weigh job.', _TEXT),
    'station': ('Station of a bag.', _TEXT),
    'text': ('Part of any text of the row, in either case.', _TEXT),
    'faults': (
        '1 = only rejects, bags out of tolerance, open alarms, refused commands.',
        {'type': 'string', 'enum': ['0', '1'], 'default': '0'},
    ),
    'limit': ('Rows of a page.', {'type': 'integer', 'minimum': 1, 'maximum': 500, 'default': 50}),
    'cursor': ('`next` of the page before; without it the newest rows.', {'type': 'string', 'maxLength': 500}),
}


def history_document(version: str) -> JsonObject:
    """Return the OpenAPI document.

    Args:
        version: Software version.
    """
    paths: JsonObject = {}
    for kind, text in _KINDS.items():
        paths[f'/api/history/{kind}'] = {'get': _list(kind, text, 'application/json', _page())}
        paths[f'/api/history/{kind}.csv'] = {'get': _list(f'{kind}_csv', f'{text}, as CSV', 'text/csv', {'type': 'string'})}
    paths['/api/history/pieces/{job}/{piece}'] = {'get': _piece()}
    paths['/api/history/bags/{bag}'] = {'get': _bag()}
    for form, content in (('html', 'text/html'), ('csv', 'text/csv')):
        paths[f'/api/history/report.{form}'] = {'get': _report(form, content)}
    paths['/api/history/pictures/{name}'] = {'get': _file('picture', 'A kept picture', 'name', 'image/jpeg')}
    play = _file('clip_play', 'The pictures of a clip, played once', 'clip', 'multipart/x-mixed-replace')
    paths['/api/history/clips/{clip}.mjpg'] = {'get': play}
    load = _file('clip', 'A clip with all its messages, for Foxglove and ros2 bag', 'clip', 'application/octet-stream')
    paths['/api/history/clips/{clip}.mcap'] = {'get': load}
    return {
        'openapi': '3.1.0',
        'info': {'title': 'Workcell history', 'version': version, 'description': 'What the cell has stored. Read-only.'},
        'paths': paths,
    }


def _list(name: str, summary: str, content: str, schema: JsonObject) -> JsonObject:
    parameters = [
        {'name': key, 'in': 'query', 'required': False, 'description': text, 'schema': kind}
        for key, (text, kind) in _PARAMETERS.items()
    ]
    answers = _answers('A page, newest first.', content, schema, {'400': 'A value of the query is wrong.'})
    return {'summary': summary, 'operationId': f'history_{name}', 'parameters': parameters, 'responses': answers}


def _page() -> JsonObject:
    items = {
        'type': 'array',
        'items': {'type': 'object'},
        'description': 'Rows; may be fewer than `limit`, although more follow.',
    }
    following = {'type': 'string', 'description': 'Cursor of the next page; "" = this is the last one.'}
    return {'type': 'object', 'required': ['items', 'next'], 'properties': {'items': items, 'next': following}}


def _piece() -> JsonObject:
    names = ('id', 'piece', 'job', 'readings', 'triggers', 'bookings', 'pictures', 'clip', 'why')
    schema: JsonObject = {'type': 'object', 'required': list(names)}
    parameters = [_path('job', 'Id of the pick job.'), _path('piece', 'Number of the piece within the job.')]
    answers = _answers('All that is known of the piece.', 'application/json', schema, {'404': 'It was not booked.'})
    return {'summary': 'One piece', 'operationId': 'history_piece', 'parameters': parameters, 'responses': answers}


def _bag() -> JsonObject:
    schema: JsonObject = {'type': 'object', 'required': ['bag', 'line', 'delivery']}
    answers = _answers('The bag, its line and its delivery.', 'application/json', schema, {'404': 'There is no such bag.'})
    parameters = [_path('bag', 'Id of the bag.')]
    return {'summary': 'One bag', 'operationId': 'history_bag', 'parameters': parameters, 'responses': answers}


def _report(form: str, content: str) -> JsonObject:
    texts = (
        ('job', 'Id of a pick job; without it the report of a time.'),
        ('since', 'Begin, ISO 8601 (default: 8 hours before the end).'),
        ('until', 'End (default: now).'),
    )
    parameters = [
        {'name': key, 'in': 'query', 'required': False, 'description': text, 'schema': _PARAMETERS[key][1]}
        for key, text in texts
    ]
    errors = {'400': 'A value of the query is wrong.', '404': 'There is no such job.'}
    answers = _answers('Pieces, rejects, stops, cycle times, bags and pictures.', content, {'type': 'string'}, errors)
    name = f'history_report_{form}'
    return {'summary': 'Report of a pick job or a time', 'operationId': name, 'parameters': parameters, 'responses': answers}


def _file(name: str, summary: str, parameter: str, content: str) -> JsonObject:
    answers = _answers(f'{summary}.', content, {'type': 'string'}, {'404': 'It is not kept.'})
    parameters = [_path(parameter, 'Name, as a piece or an alarm has it.')]
    return {'summary': summary, 'operationId': f'history_{name}', 'parameters': parameters, 'responses': answers}


def _path(name: str, text: str) -> JsonObject:
    return {'name': name, 'in': 'path', 'required': True, 'description': text, 'schema': {'type': 'string'}}


def _answers(text: str, content: str, schema: JsonObject, errors: dict[str, str]) -> JsonObject:
    found = {'200': {'description': text, 'content': {content: {'schema': schema}}}}
    errors = {**errors, '401': 'Login required.', '503': 'The database cannot be read, or all places are taken.'}
    return {**found, **{code: {'description': error} for code, error in errors.items()}}
