"""Database tables of the package and their readers."""
