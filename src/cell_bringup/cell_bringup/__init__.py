"""Launch files, configuration and the cell command."""
