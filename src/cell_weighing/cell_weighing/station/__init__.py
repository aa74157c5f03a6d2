"""weigh_station: weigh jobs, bag records, alarms and logs."""
