"""Backend `rtde`: motion planned by the cell and executed through ur_rtde.

Four layers, each a subclass of the one before, all in the backend's event loop:

    data_feed            the newest data package and its age
    controller_queries   what the dashboard and the registers tell
    control_program      the program on the controller: ours, running, held
    arm                  steps of a plan, one at a time

`backend` plans events and keeps the record of the gripper; `recovery` brings the arm back after a stop.
"""
