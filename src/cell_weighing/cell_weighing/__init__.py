"""Indicators, weigh jobs and bag records. Process control only, not legal for trade."""
