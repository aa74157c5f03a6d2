"""Record, play and describe bags (stand-in with the commands of ros2bag, through the library rosbags).

    recorder, player, report   what the verbs do
    qos, definitions           QoS and message definitions, as bags store them
    selection, arguments       which topics, and the options of the verbs

Messages are recorded and played as serialized bytes (CDR); none is unpacked on the way.

Not covered: services as such, compression, splitting, snapshots, keyboard controls; `-h` lists what there is.
"""
