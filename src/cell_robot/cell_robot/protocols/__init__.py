"""Wire protocols of the UR controller."""
