"""Node `markers`: trays, pieces and the arm's path as shapes, for RViz, Foxglove and Lichtblick.

shapes   which shape stands where, in which color
node     the wiring
"""

__all__ = ['node', 'shapes']
