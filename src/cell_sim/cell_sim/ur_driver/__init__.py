"""The official ROS 2 driver's face on the simulated UR controller: trajectories, dashboard, inputs and outputs."""
