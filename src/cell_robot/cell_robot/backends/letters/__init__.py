"""Backend `letters`: TCP server for UR programs that get one letter for each event and answer with words."""
