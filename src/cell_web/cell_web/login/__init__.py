"""Login of people: users in a file, passwords and PINs as Argon2 hashes, sessions in memory, limits against guessing.

user        one person, with role and hash
users       all of them in a file, which `cell user` and the gateway write
passwords   what a password must be; hashing and checking
attempts    delays after wrong passwords
sessions    who is logged in, and until when
routes      the requests of the page
audit       logins, refused ones and logouts, beside the cell's commands
"""

from cell_web.login.attempts import LoginAttempts
from cell_web.login.audit import LoginAudit
from cell_web.login.events import LoginEvent
from cell_web.login.passwords import PasswordError, PasswordHashes, check_password
from cell_web.login.routes import LoginRoutes, LoginSettings
from cell_web.login.sessions import LoginSession, LoginSessions, SessionLimits
from cell_web.login.user import User
from cell_web.login.users import UserError, UserFile

__all__ = [
    'LoginAttempts',
    'LoginAudit',
    'LoginEvent',
    'LoginRoutes',
    'LoginSession',
    'LoginSessions',
    'LoginSettings',
    'PasswordError',
    'PasswordHashes',
    'SessionLimits',
    'User',
    'UserError',
    'UserFile',
    'check_password',
]
