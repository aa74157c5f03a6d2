"""Motion through ur_rtde, in a process of its own: its client is not thread safe, may block for minutes and may crash."""
