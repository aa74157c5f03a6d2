"""Decides whether a reading shows the ordered part.

A wrong part that is placed is worse than a good one that is looked at again. Every rule here
therefore turns doubt into AMBIGUOUS or UNREADABLE, never into MATCH.

- `text_lines` joins boxes to lines; `alignment` finds a number in a line and prices the differences
  with `confusions`.
- `matcher` decides; `completeness`, `orientation` and `barcode_check` supply its doubts.
- `catalogue_lint` and `catalogue_notes` check a catalogue before it is used; `catalogue_trial`
  tries it on images.
- `benchmark` and `benchmark_store` keep readings of known-good parts; `node` serves all of it.
"""

__all__ = ['catalogue_trial', 'node']
