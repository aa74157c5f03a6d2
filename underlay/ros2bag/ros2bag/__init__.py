"""Record, play and describe bags (stand-in with the commands of ros2bag, through the library rosbags).

Not covered: services as such, compression, splitting, snapshots, keyboard controls; `-h` lists what there is.
"""
