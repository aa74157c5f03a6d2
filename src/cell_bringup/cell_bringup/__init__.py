"""Launch files, configuration and the `cell` command.

    cli              command line; each command's code is imported only when it runs
    client           ROS client of a running cell, for commands and tests
    jobs, robot, stock, benchmarks, weighing    commands that need a running cell
    models, catalogue, reports, tokens, workflow, scale_trial, audit    commands that need none
    backup, backup_archive, logs, versions    the cell's data in one file and back; log lines; versions
    *_arguments      command lines, without the code of their commands
    terminal_views   views of the cell's messages for a terminal
    state_folder     state folder of the running cell
    doctor, doctor_site, doctor_firewall, doctor_probe, doctor_facts    checks of the weigh side, and the facts they judge
    doctor_cell, doctor_cell_probe, doctor_command    checks of the whole cell, their facts, and `cell doctor`
    demo             `cell run`
    launch_simulation, launch_monitoring, views    parts of cell.launch.py: simulated world, RViz, rqt and Foxglove

Public API: the modules of `__all__`, and in each the names of its own `__all__`.
"""

__all__ = ['client', 'demo', 'jobs', 'launch_monitoring', 'launch_simulation', 'views']
