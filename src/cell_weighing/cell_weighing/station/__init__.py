"""weigh_station: weigh jobs, bag records, alarms and logs.

`store` makes bags of journal readings, `job_store` manages the jobs, `services` runs the operator's
commands. All database work runs in one thread (`database_worker`), so bags and commands have one
order.
"""
