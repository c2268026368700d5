"""The application object for WSGI servers: `gunicorn wsgi:app`."""

from helpdesk import create_app

app = create_app()
