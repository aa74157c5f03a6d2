"""A simulated UR controller: dashboard, primary, secondary, script and RTDE ports in front of one model of an e-Series arm."""
