"""Login of people at the gateway; their names, roles and hashes are in `user_file`.

- `attempts`: delays after wrong passwords.
- `sessions`: who is logged in, and until when.
- `routes`: the requests of the page, and the session of each request.
- `events`, `audit`: logins, refused ones and logouts, beside the cell's commands.
"""
