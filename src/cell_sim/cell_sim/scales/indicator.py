"""ZM405 weighing indicator without its network: display, print formats and replies to SMA commands.

Print formats are templates that the installer enters (ZM400 service manual AWT35-501334). Two have names here: `legacy` is
`scale_id,weight unit`, `extended` is `id,mode,status,weight,unit,tare,tare_status`. All end in CR LF. SMA replies follow
SMA SCP-0499: `<LF><s><r><n><m><f><weight, 10><unit, 3><CR>`.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import ROUND_HALF_EVEN, Decimal

from cell_sim.scales.platform import ScalePlatform

__all__ = ['KILOGRAMS', 'TEMPLATES', 'DisplayState', 'Indicator', 'check_template']

KILOGRAMS: Mapping[str, Decimal] = {
    'kg': Decimal(1),
    'g': Decimal('0.001'),
    't': Decimal(1000),
    'lb': Decimal('0.45359237'),
    'oz': Decimal('0.028349523125'),
}
"""Kilograms in one unit (pound and ounce: international yard and pound agreement, 1959, exact)."""
_DIVISIONS: Mapping[str, Decimal] = {
    'kg': Decimal(1),
    'g': Decimal(1000),
    't': Decimal('0.001'),
    'lb': Decimal(2),
    'oz': Decimal(40),
}
"""Display division in each unit, for a division of 1 kg."""
TEMPLATES: Mapping[str, str] = {
    'legacy': '{id},{weight} {unit}',
    'extended': '{id},{mode},{status},{weight:>6},{unit},{tare:>6},{tare_status}',
}
"""Print formats by name. Tokens may have a width as in str.format; {date} and {time} exist, too."""
OVERLOAD_SHARE = Decimal('1.02')
"""Share of the capacity above which the display shows overload."""
ZERO_RANGE = Decimal('0.02')
"""Share of the capacity within which the zero can be set."""
DASHES = '------'


@dataclass(frozen=True)
class DisplayState:
    """Contents of the display.

    Attributes:
        weight: Digits with a decimal point, or dashes on overload and underload.
        status: Token WSTAT: S stable, M motion, O overload, U underload.
        net: Whether a tare is set, so that `weight` is net.
        tare: Digits with a decimal point.
        unit: kg, g, t, lb or oz.
        moving: Whether the load has not settled; also true behind O and U.
    """

    weight: str
    status: str
    net: bool
    tare: str
    unit: str
    moving: bool = False


class Indicator:
    """One indicator with its platform.

    Weights are decimal fractions throughout, as in the indicator: rounding to the division must not
    depend on binary fractions. `now` is the time in seconds of one steady clock in every method.

    Attributes:
        scale_id: Id in its print format.
        print_format: As given: a name of TEMPLATES, "sma", or a template.
        clock_offset: Clock of the indicator (seconds since 1970) minus `now`.
        platform: Load on the scale.
        unit: Selected unit of the display.
    """

    def __init__(
        self,
        scale_id: str,
        *,
        print_format: str = 'legacy',
        division: Decimal = Decimal('0.005'),
        capacity: Decimal = Decimal(60),
        decimal_comma: bool = False,
    ) -> None:
        """Create an indicator that shows zero.

        Args:
            scale_id: Id in its print format.
            print_format: Key of TEMPLATES, "sma", or a template with tokens in braces.
            division: Smallest step of the display, kilograms.
            capacity: Kilograms.
            decimal_comma: Print a comma as the decimal separator.

        Raises:
            ValueError: The template is invalid.
        """
        self.scale_id, self.print_format = scale_id, print_format
        self._template = TEMPLATES.get(print_format, print_format)
        self._point = ',' if decimal_comma else '.'
        self.clock_offset = 0.0
        self.platform = ScalePlatform()
        self.unit = 'kg'
        self._division, self._capacity = division, capacity
        self._zero = self._tare = Decimal(0)
        self._preset = False
        self._about: list[str] = []
        self._commands: Mapping[str, Callable[[float], bytes]] = {
            'W': self.sma_weight,
            'H': lambda now: self.sma_weight(now, high=True),
            'Z': self._set_zero,
            'C': self._clear_tare,
            'M': self._report_tare,
            'U': self._next_unit,
            # Diagnostics: four blanks mean that no error is pending.
            'D': lambda _: b'\n    \r',
            'A': self._start_about,
            'B': self._continue_about,
            'I': self._start_info,
            'N': self._continue_about,
        }
        if print_format != 'sma':
            check_template(self._template)

    def set_clock(self, wall_time: float, now: float) -> None:
        """Set the clock: `wall_time` (seconds since 1970) at `now`."""
        self.clock_offset = wall_time - now

    def shift_clock(self, seconds: float) -> None:
        """Set the clock forward, or back if negative."""
        self.clock_offset += seconds

    def select_unit(self, unit: str) -> None:
        """Select the unit of the display.

        Args:
            unit: Key of KILOGRAMS. A preset tare keeps its mass.
        """
        self.unit = unit

    def show(self, now: float, *, unit: str = '', high: bool = False) -> DisplayState:
        """Return the display; `unit` overrides the selected unit, `high` uses a tenth of the division.

        Args:
            now: Time, seconds.
            unit: Key of KILOGRAMS; "" = the selected one.
            high: High resolution, as for SMA command H.
        """
        unit = unit or self.unit
        # The shortest decimal form of the float: Decimal(float) would carry 50 digits of its binary
        # fraction.
        load = Decimal(repr(self.platform.load(now))) - self._zero
        status = 'M' if self.platform.moving(now) else 'S'
        if load > self._capacity * OVERLOAD_SHARE:
            status = 'O'
        elif load < -self._capacity * ZERO_RANGE:
            status = 'U'
        weight = DASHES if status in 'OU' else self._digits(load - self._tare, unit, high)
        return DisplayState(
            weight, status, self._tare != 0, self._digits(self._tare, unit, high), unit, self.platform.moving(now)
        )

    def print_line(self, now: float, *, unit: str = '') -> bytes:
        """Return the line that the PRINT key sends."""
        return self.format_line(self.show(now, unit=unit), now)

    def format_line(self, shown: DisplayState, now: float, *, settled: bool = True) -> bytes:
        """Format a display as a printed line with CR LF, or as an SMA reply with dashes if it has not settled.

        Args:
            shown: Display to print.
            now: Time, seconds; date and time of the line are UTC by the indicator's own clock.
            settled: SMA only: whether command P saw a stable weight before its timeout.
        """
        if self.print_format == 'sma':
            return _sma(shown, settled=settled)
        tare = ('PT' if self._preset else 'T') if shown.net else 'NT'
        clock = datetime.fromtimestamp(now + self.clock_offset, timezone.utc)
        line = self._template.format(
            id=self.scale_id,
            mode='N' if shown.net else 'G',
            status=shown.status,
            unit=shown.unit,
            tare_status=tare,
            weight=shown.weight.replace('.', self._point),
            tare=shown.tare.replace('.', self._point),
            date=f'{clock:%d/%m/%Y}',
            time=f'{clock:%H:%M:%S}',
        )
        return f'{line}\r\n'.encode()

    def sma_weight(self, now: float, *, high: bool = False, settled: bool = True) -> bytes:
        """Return the SMA reply to W or H, with dashes on an error or if the weight has not settled.

        Args:
            now: Time, seconds.
            high: Reply to H: a tenth of the division, and a lower-case letter for gross or net.
            settled: Whether the weight is stable enough for the command.
        """
        return _sma(self.show(now, high=high), high=high, settled=settled)

    def reply(self, command: str, now: float) -> bytes:
        """Return the reply to an SMA command without its LF and CR.

        `P` and `R` take time, so the caller implements them with its clock.

        Args:
            command: Text between LF and CR, e.g. `W` or `T12.5`.
            now: Time, seconds.

        Returns:
            LF ... CR; `LF ? CR` for an unknown or malformed command, as SCP-0499 demands.
        """
        if command.startswith('T'):
            return self._set_tare(command[1:], now)
        handler = self._commands.get(command)
        return handler(now) if handler is not None else b'\n?\r'

    def _digits(self, kilograms: Decimal, unit: str, high: bool = False) -> str:
        step = (self._division * _DIVISIONS[unit] / (10 if high else 1)).normalize()
        value = (kilograms / KILOGRAMS[unit] / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step
        exponent = step.as_tuple().exponent
        assert isinstance(exponent, int)
        # Adding 0 turns -0 into 0, which an indicator shows without a sign.
        return f'{value + 0:.{max(0, -exponent)}f}'

    def _set_zero(self, now: float) -> bytes:
        load = Decimal(repr(self.platform.load(now)))
        if self.platform.moving(now) or abs(load) > self._capacity * ZERO_RANGE:
            return self._failed(b'E', now)
        self._zero, self._tare = load, Decimal(0)
        return self.sma_weight(now)

    def _set_tare(self, value: str, now: float) -> bytes:
        """Take the load as the tare, or preset a value in the selected unit."""
        if not value:
            if self.platform.moving(now):
                return self._failed(b'T', now)
            self._tare, self._preset = Decimal(repr(self.platform.load(now))) - self._zero, False
            return self.sma_weight(now)
        if not value.strip().replace('.', '', 1).isdecimal() or not value.isascii():
            return b'\n?\r'
        self._tare, self._preset = Decimal(value.strip()) * KILOGRAMS[self.unit], True
        return self._report_tare(now)

    def _failed(self, status: bytes, now: float) -> bytes:
        # The status byte names the failure: E zero error, T tare error. The weight is dashes.
        reply = self.sma_weight(now, settled=False)
        return reply[:1] + status + reply[2:]

    def _clear_tare(self, now: float) -> bytes:
        self._tare, self._preset = Decimal(0), False
        return self.sma_weight(now)

    def _report_tare(self, now: float) -> bytes:
        shown = self.show(now)
        return f'\n 1T  {shown.tare:>10}{shown.unit:<3}\r'.encode()

    def _next_unit(self, now: float) -> bytes:
        self.unit = 'lb' if self.unit == 'kg' else 'kg'
        return self.sma_weight(now)

    def _start_about(self, now: float) -> bytes:
        # SCP-0499 level 2, one line for each command B, until END.
        self._about = ['SMA:2/1.0', 'MFG:simulated', 'MOD:ZM405', 'REV:1.0', 'END:']
        return self._continue_about(now)

    def _start_info(self, now: float) -> bytes:
        self._about = ['SMA:2/1.0', 'TYP:S', f'CAP:kg :{self._capacity:>7}:{self._division:>7}', 'CMD:HPRTMCUZ', 'END:']
        return self._continue_about(now)

    def _continue_about(self, _now: float) -> bytes:
        return f'\n{self._about.pop(0)}\r'.encode() if self._about else b'\n?\r'


def _sma(shown: DisplayState, *, high: bool = False, settled: bool = True) -> bytes:
    weight = shown.weight if settled else DASHES
    status = shown.status if shown.status in 'OU' else ('Z' if weight != DASHES and Decimal(weight) == 0 else ' ')
    field = f'{weight:^10}' if weight == DASHES else f'{weight:>10}'
    kind = 'N' if shown.net else 'G'
    motion = 'M' if shown.moving else ' '
    return f'\n{status}1{kind.lower() if high else kind}{motion} {field}{shown.unit:<3}\r'.encode()


def check_template(template: str) -> None:
    """Check a print format.

    Raises:
        ValueError: The template has an unknown token, or none for the weight.
    """
    tokens = dict.fromkeys(('id', 'mode', 'status', 'weight', 'unit', 'tare', 'tare_status', 'date', 'time'), '')
    try:
        template.format(**tokens)
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f'"{template}" has an unknown token; known tokens: {", ".join(tokens)}') from error
    if '{weight' not in template:
        raise ValueError(f'"{template}" prints no weight: add the token {{weight}}')
