"""Backends: the ways to drive a robot. `base` is the contract, `factory` chooses one.

    letters      a UR program on the robot connects to the cell and gets one letter for each event
    hub          as letters, through a hub of the replaced OCR system
    rtde         the cell plans the motion itself and executes it through ur_rtde
    ros_driver   as rtde, through the official ROS 2 driver

The first two know events only; where the arm goes is in the program. The last two need config/recipe.yaml.
"""
