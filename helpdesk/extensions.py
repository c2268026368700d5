"""The Flask extensions, made here and bound in create_app."""

from flask_bootstrap import Bootstrap5
from flask_mail import Mail
from flask_security import Security
from flask_wtf import CSRFProtect

mail = Mail()
security = Security()
csrf = CSRFProtect()
bootstrap = Bootstrap5()
