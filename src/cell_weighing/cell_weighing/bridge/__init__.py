"""Connects indicators over TCP, and records each of their lines in the journal.

Three layers: `tcp_server` moves bytes; `framing` and `line_pipeline` make lines of them; `codecs`
give lines a meaning. `journal_writer` makes the readings durable, then `node` publishes them. A
line is never published before it is stored: a station that misses a message reads it in the
journal.
"""
