"""TCP servers of the simulated UR controller, one per port."""
