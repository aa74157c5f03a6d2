"""Database migrations of the weigh side."""
