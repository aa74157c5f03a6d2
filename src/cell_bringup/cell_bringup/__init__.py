"""Launch files, configuration and the `cell` command.

    cli              command line; each command's code is imported only when it runs
    client           ROS client of a running cell, for commands and tests
    jobs, robot, stock, benchmarks    commands that need a running cell
    models, catalogue, reports, tokens, workflow    commands that need none
    doctor, doctor_probe              checks of the weigh side, and the facts they judge
    demo             `cell run`

Public API: the modules of `__all__`, and in each the names of its own `__all__`.
"""

__all__ = ['client', 'demo', 'jobs']
