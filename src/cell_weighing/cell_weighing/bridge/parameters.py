"""Parameters of scale_bridge, and the settings derived from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from cell_common.parameters import ParameterError, parameter
from cell_common.time import seconds_to_ns

from cell_weighing.bridge.codecs import CODECS, CodecOptions
from cell_weighing.bridge.codecs.options import EXTENDED, TICKET
from cell_weighing.bridge.formats import FormatError, check_formats, parse_formats
from cell_weighing.bridge.line_pipeline import SiteConfig
from cell_weighing.bridge.peers import CAPTURES, PeerError, parse_peers
from cell_weighing.bridge.stream_capture import StabilitySettings
from cell_weighing.bridge.tcp_server import TcpServerSettings
from cell_weighing.delivery.settings import SettingsError, read_settings, settings_path
from cell_weighing.domain.units import UNITS
from cell_weighing.storage.disk_space import state_folder


@dataclass(frozen=True)
class ScaleBridgeParameters:
    """Parameters of scale_bridge."""

    listen_address: str = parameter('0.0.0.0', 'Address on which indicators may connect; 0.0.0.0 = every interface.')
    port: int = parameter(10001, 'TCP port on which indicators connect; 0 = one that is free.', minimum=0, maximum=65535)
    codec: str = parameter(
        'legacy',
        'Format of the indicators: legacy = "scale_id,weight unit", template = the print format in parameter template, '
        'sma = SMA SCP-0499, nci = NCI SCP-01 and mt-sics = Mettler-Toledo MT-SICS (these three are polled by the bridge), '
        'and = A&D, Excell, Dini Argeo and others (ST,GS,+00123.45kg), toledo and toledo-checksum = Toledo continuous output, '
        'rinstrum = Rinstrum formats 1 to 6, sbi = Sartorius, ohaus = Ohaus and Radwag, ticket = tickets of several lines. '
        '"cell scale try" finds out which one fits.',
        choices=tuple(CODECS),
    )
    template: str = parameter(
        EXTENDED,
        'Print format for codec template: literal characters and tokens {id} {mode} {status} '
        '{weight} {unit} {tare} {tare_status} {skip}; {unit=kg} = a unit that the line does not have, {weight:2} = two '
        'decimals without a point, {status:ST=stable|US=motion|OL=overload|UL=underload} = words of the status.',
    )
    ticket: list[str] = parameter(
        list(TICKET), 'Lines of a ticket that count, in their order, for codec ticket: tokens as in template, and {net}.'
    )
    unit: str = parameter('', 'Unit of records that name none; empty = such a record is no weight.', choices=('', *UNITS))
    formats: list[str] = parameter(
        [''],
        'Further formats, each as "name codec=template unit=kg comma=yes ask=P\\r\\n template=ST,GS,{weight}": for indicators '
        'that print differently, named in peers.',
    )
    decimal_comma: bool = parameter(False, 'The indicators write a decimal comma instead of a point.')
    capture: str = parameter(
        'printed',
        'printed = each line is a bag (print key); streaming = the indicator sends all the '
        'time, and a bag is captured when the weight is stable, once until the scale was empty.',
        choices=CAPTURES,
    )
    capture_count: int = parameter(5, 'Streaming: samples that must agree.', minimum=2, maximum=1000)
    capture_time: float = parameter(0.5, 'Streaming: shortest time that they span.', unit='s', minimum=0.0, maximum=60.0)
    capture_spread: float = parameter(
        0.005, 'Streaming: largest difference between these samples.', unit='kg', minimum=0.0, maximum=1000.0
    )
    capture_empty: float = parameter(
        0.020, 'Streaming: at or below this weight the scale is empty.', unit='kg', minimum=0.0, maximum=1000.0
    )
    sma_ask: str = parameter(
        'W', 'Poll command for SMA scales: W = current weight, P = weight as soon as it is stable.', choices=('W', 'P')
    )
    sics_ask: str = parameter(
        'SI', 'Poll command for MT-SICS scales: SI = current weight, S = weight as soon as it is stable.', choices=('SI', 'S')
    )
    peers: list[str] = parameter(
        [''],
        'Settings of indicators, each as "192.168.1.31 id=3 codec=sma capture=streaming" with any of id, codec, capture. '
        '"dial:192.168.1.40:4001 ..." = an indicator that is the server, or a serial line behind a device server; '
        '"port:10002 ..." = indicators that connect to that port. A line that claims a scale bound to another address is '
        'recorded as malformed.',
    )
    ask_period: float = parameter(
        0.2,
        'Time between two poll commands, for codecs that poll.',
        unit='s',
        minimum=0.05,
        maximum=60.0,
    )
    database_url: str = parameter('sqlite:///cell.db', 'Database that holds the journal of readings, as an SQLAlchemy URL.')
    free_space: float = parameter(
        500.0,
        "Free space on the journal's file system below which a warning is given; 0 = never.",
        unit='MB',
        minimum=0.0,
        maximum=1e9,
    )
    record_silence: float = parameter(
        0.2,
        'Time without a byte that ends a record of an indicator that sends no line end, when what is there is a whole '
        'record; 0 = never.',
        unit='s',
        minimum=0.0,
        maximum=10.0,
    )
    idle_timeout: float = parameter(
        0.0,
        'Time without data after which a connection is closed; 0 = never, for indicators that send only when a bag is '
        'printed: an indicator that does not notice the close loses its next line.',
        unit='s',
        minimum=0.0,
        maximum=86400.0,
    )
    max_connections: int = parameter(2000, 'Largest number of connections; more are refused.', minimum=1, maximum=20000)
    waiting_limit: int = parameter(
        20_000,
        'Lines that may wait in memory when the journal cannot be written, about 1 kB each; then no more are read from '
        'the indicators, whose own buffers must hold theirs.',
        minimum=100,
        maximum=1_000_000,
    )
    state_dir: str = parameter('', 'Folder of settings.json; empty = the folder of the database, if that is a file.')
    settings_file: str = parameter(
        '',
        "The old scale server's settings.json: its host and port are used instead of listen_address and port; empty = "
        'settings.json in the state folder, if any.',
    )


def site_config(parameters: ScaleBridgeParameters, new_id: Callable[[], str]) -> SiteConfig:
    """Return the settings that all connections share.

    Args:
        parameters: Parameters of the node.
        new_id: Returns a new reading id.

    Raises:
        ParameterError: peers, formats, template, ticket or decimal_comma cannot be used.
    """
    options = CodecOptions(
        parameters.template,
        parameters.decimal_comma,
        parameters.sma_ask,
        parameters.sics_ask,
        parameters.unit,
        tuple(line for line in parameters.ticket if line),
    )
    settings = StabilitySettings(
        parameters.capture_count,
        _decimal(parameters.capture_spread),
        seconds_to_ns(parameters.capture_time),
        _decimal(parameters.capture_empty),
    )
    try:
        formats = parse_formats((entry for entry in parameters.formats if entry), options)
        peers = parse_peers((entry for entry in parameters.peers if entry), formats)
        check_formats(formats, {parameters.codec, *(peer.codec for peer in peers.values() if peer.codec)})
    except (PeerError, FormatError) as error:
        name = 'peers' if isinstance(error, PeerError) else 'formats'
        raise ParameterError(f'parameter "{name}": {error}. Correct it in the parameter file.') from error
    except ValueError as error:
        raise ParameterError(f'parameter "template": {error}. Correct it in the parameter file.') from error
    return SiteConfig(
        new_id,
        parameters.codec,
        parameters.capture,
        options,
        peers,
        settings,
        silence=parameters.record_silence,
        formats=formats,
    )


def server_settings(parameters: ScaleBridgeParameters) -> TcpServerSettings:
    """Return the settings of the TCP server.

    Args:
        parameters: Parameters of the node. An old settings.json, where one exists, overrides
            address and port.

    Raises:
        ParameterError: The settings file cannot be used.
    """
    try:
        folder = state_folder(parameters.database_url, parameters.state_dir)
        settings = read_settings(settings_path(parameters.settings_file, folder))
    except SettingsError as error:
        raise ParameterError(f'parameter "settings_file": {error}') from error
    return TcpServerSettings(
        settings.host or parameters.listen_address,
        settings.port or parameters.port,
        parameters.idle_timeout,
        parameters.max_connections,
        parameters.ask_period,
        parameters.waiting_limit,
    )


def _decimal(value: float) -> Decimal:
    """Return a parameter as the decimal number that the operator wrote."""
    return Decimal(repr(value))
