"""What every package shares: parameters, QoS, database, catalogue, diagnostics, test fixtures."""
