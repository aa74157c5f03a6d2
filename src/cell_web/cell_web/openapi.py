"""The description of the API, OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from cell_weighing.bag_api import FIELDS, KEY_HEADER, UNITS

_BAG = {
    'bag_id': {'type': 'integer', 'description': 'Number of the record.'},
    'bag_num': {'type': 'integer', 'description': 'Number of the bag within its job; 0 when there was no job.'},
    'in_tolerance': {'type': 'boolean', 'description': 'Whether it counts for the job; limits are included.'},
    'job_complete': {'type': 'boolean', 'description': 'Whether this bag completed the job.'},
}
_ERROR = {
    'error': {'type': 'string', 'description': 'What is wrong and what to do, for people.'},
    'field': {'type': 'string', 'description': 'The field or header that is wrong; "" when none is.'},
}
_FORM = {
    'weight': {
        'type': 'string',
        'pattern': r'^\+?[0-9]{1,9}(\.[0-9]{1,6})?$',
        'description': 'Plain digits, above 0.',
        'examples': ['12.50'],
    },
    'unit': {'type': 'string', 'enum': list(UNITS), 'description': 'Unit of the weight, also in capitals.'},
    'scale': {'type': 'string', 'pattern': '^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$', 'description': 'Id of the scale.'},
    'station': {'type': 'string', 'maxLength': 64, 'description': 'Where it was weighed; one that has or had a weigh job.'},
}


def description(version: str) -> dict[str, Any]:
    """Return the whole description; `version` is that of the software."""
    return {
        'openapi': '3.1.0',
        'info': {
            'title': 'Workcell weighing',
            'version': version,
            'description': 'Records weighed bags. For process control only, not legal for trade.',
        },
        'paths': {'/api/prepuff/scan_bag': {'post': _scan_bag()}},
        'components': {'securitySchemes': {'token': {'type': 'http', 'scheme': 'bearer'}}},
        'security': [{'token': []}],
    }


def _scan_bag() -> dict[str, Any]:
    form = {'type': 'object', 'required': list(FIELDS), 'properties': {name: _FORM[name] for name in FIELDS}}
    key = {
        'name': KEY_HEADER,
        'in': 'header',
        'required': False,
        'schema': {'type': 'string', 'minLength': 1, 'maxLength': 255},
        'description': 'Names this bag. The same key gets the same answer, and no second bag is recorded. Best a UUID.',
    }
    return {
        'summary': 'Record a weighed bag against the active weigh job of its station',
        'operationId': 'scan_bag',
        'parameters': [key],
        'requestBody': {
            'required': True,
            'content': {'application/x-www-form-urlencoded': {'schema': form}, 'multipart/form-data': {'schema': form}},
        },
        'responses': {
            '200': _answer('Recorded and judged.', {**_BAG, 'message': {'type': 'string', 'description': 'For people.'}}),
            '400': _answer('A field is missing or given twice; nothing is recorded.', _ERROR),
            '401': _answer('The token is missing or not known; nothing is recorded.', _ERROR),
            '404': _answer('The station is not known; nothing is recorded.', _ERROR),
            '409': _answer('Recorded, but the station has no active weigh job: it counts for none.', {**_ERROR, **_BAG}),
            '413': _answer('The request is too large; nothing is recorded.', _ERROR),
            '422': _answer('A value cannot be, or the key was used for another bag; nothing is recorded.', _ERROR),
            '503': _answer('weigh_station or its database does not respond: try again with the same key.', _ERROR),
        },
    }


def _answer(text: str, fields: dict[str, Any]) -> dict[str, Any]:
    schema = {'type': 'object', 'required': list(fields), 'properties': fields}
    return {'description': text, 'content': {'application/json': {'schema': schema}}}
