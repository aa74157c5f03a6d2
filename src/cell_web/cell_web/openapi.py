"""OpenAPI 3.1 description of the bag API."""

from __future__ import annotations

from cell_weighing.bag_api import FIELDS, KEY_HEADER, UNITS

JsonObject = dict[str, object]

_BAG: JsonObject = {
    'success': {'type': 'boolean', 'description': 'Whether the bag is recorded; true.'},
    'bag_id': {'type': 'integer', 'description': 'Id of the bag record.'},
    'bag_num': {'type': 'integer', 'description': 'Number of the bag within its job; 0 without a job.'},
    'in_tolerance': {'type': 'boolean', 'description': 'Whether the bag is within tolerance, limits included.'},
    'job_complete': {'type': 'boolean', 'description': 'Whether this bag completed the job.'},
}
_ERROR: JsonObject = {
    'success': {'type': 'boolean', 'description': 'Whether the bag is recorded; false.'},
    'error': {'type': 'string', 'description': 'Error and remedy, as text for the operator.'},
    'field': {'type': 'string', 'description': 'Invalid field or header; "" when the error concerns none.'},
}
_FORM: JsonObject = {
    'weight': {
        'type': 'string',
        'pattern': r'^\+?[0-9]{1,9}(\.[0-9]{1,6})?$',
        'description': 'Plain digits, above 0.',
        'examples': ['12.50'],
    },
    'unit': {'type': 'string', 'enum': list(UNITS), 'description': 'Unit of the weight, in either case.'},
    'scale': {'type': 'string', 'pattern': '^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$', 'description': 'Id of the scale.'},
    'station': {'type': 'string', 'maxLength': 64, 'description': 'Station of the bag; it must have or have had a weigh job.'},
}


def openapi_document(version: str) -> JsonObject:
    """Return the OpenAPI document.

    Args:
        version: Software version.

    Returns:
        JSON object. Field names come from `cell_weighing.bag_api`, so that document and validation
        cannot differ.
    """
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


def _scan_bag() -> JsonObject:
    """Return the operation of `POST scan_bag`; the field lists are those of the code, so page and code cannot differ."""
    form = {'type': 'object', 'required': list(FIELDS), 'properties': {name: _FORM[name] for name in FIELDS}}
    body = {**form, 'properties': {**_FORM, **{name: _text_or_number(name) for name in ('weight', 'scale')}}}
    key = {
        'name': KEY_HEADER,
        'in': 'header',
        'required': False,
        'schema': {'type': 'string', 'minLength': 1, 'maxLength': 255},
        'description': 'Identifies this bag, e.g. a UUID. A repeated key returns the same response and records no second bag.',
    }
    return {
        'summary': 'Record a weighed bag against the active weigh job of its station',
        'operationId': 'scan_bag',
        'parameters': [key],
        'requestBody': {
            'required': True,
            'content': {
                'application/x-www-form-urlencoded': {'schema': form},
                'multipart/form-data': {'schema': form},
                'application/json': {'schema': body},
            },
        },
        'responses': {
            '200': _response(
                'Recorded and checked against the tolerance.',
                {**_BAG, 'message': {'type': 'string', 'description': 'Text for the operator.'}},
            ),
            '400': _response('A field is missing or given twice; nothing is recorded.', _ERROR),
            '401': _response('The token is missing or unknown; nothing is recorded.', _ERROR),
            '404': _response('The station is unknown; nothing is recorded.', _ERROR),
            '409': _response('Recorded without a job: the station has no active weigh job.', {**_ERROR, **_BAG}),
            '405': _response('The method is not POST; nothing is recorded.', _ERROR),
            '413': _response('The request is too large; nothing is recorded.', _ERROR),
            '415': _response('The body is neither a form nor JSON, or its charset is unknown; nothing is recorded.', _ERROR),
            '422': _response('A value is invalid, or the key belongs to another bag; nothing is recorded.', _ERROR),
            '503': _response('weigh_station or its database is not available: retry with the same key.', _ERROR),
        },
    }


def _text_or_number(name: str) -> JsonObject:
    field = _FORM[name]
    assert isinstance(field, dict)
    return {'anyOf': [field, {'type': 'number', 'minimum': 0}], 'description': field['description']}


def _response(text: str, fields: JsonObject) -> JsonObject:
    schema = {'type': 'object', 'required': list(fields), 'properties': fields}
    return {'description': text, 'content': {'application/json': {'schema': schema}}}
