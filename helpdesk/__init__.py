"""Helpdesk: readers write about articles, staff answer by mail."""

from helpdesk.starting import hidden, importing

# Huey would load the driver also where no PostgreSQL is used, Flask-Security what only passkeys need
with importing(), hidden("psycopg"), hidden("webauthn"):
    from datetime import timedelta

    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    from helpdesk import (
        access,
        contact,
        database,
        desk,
        errors,
        files,
        headers,
        health,
        intake,
        jobs,
        paths,
        request_log,
        templating,
        tokens,
    )
    from helpdesk.agents import current as current_agent
    from helpdesk.agents import security as agent_security
    from helpdesk.config import LOOPBACK, Settings, load_settings
    from helpdesk.doctor import views as doctor
    from helpdesk.extensions import bootstrap, csrf
    from helpdesk.outbound import transport


def create_app(settings: Settings | None = None) -> Flask:
    """The application: configuration, extensions, packages, in that order."""
    settings = settings or load_settings()
    app = Flask(__name__, template_folder=str(paths.templates()), static_folder=str(paths.static()))
    _configure(app, settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    jobs.init_app(app, settings)
    database.init_app(app, wake=jobs.wake)
    files.init_app(app, settings)
    tokens.init_app(app, [key.get_secret_value() for key in settings.secret_keys])
    bootstrap.init_app(app)
    csrf.init_app(app)
    transport.init_app(app, settings)
    agent_security.init_app(app, settings)
    current_agent.init_app(app)
    templating.init_app(app)
    errors.init_app(app)
    headers.init_app(app, is_https=settings.is_https)
    app.register_blueprint(contact.blueprint)
    app.register_blueprint(desk.blueprint)
    app.register_blueprint(intake.blueprint)
    health.init_app(app, settings)
    app.register_blueprint(doctor.blueprint)
    access.init_app(app)
    request_log.init_app(app, trusted_proxies=settings.trusted_proxies)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    keys = [key.get_secret_value() for key in settings.secret_keys]
    app.extensions["settings"] = settings
    app.config.update(
        SECRET_KEY=keys[0],
        SECRET_KEY_FALLBACKS=keys[1:],
        SQLALCHEMY_DATABASE_URI=settings.database_uri,
        SQLALCHEMY_ENGINE_OPTIONS=database.engine_options(settings.database_uri),
        TRUSTED_HOSTS=[settings.host, *(LOOPBACK if settings.host in LOOPBACK else ())],
        MAX_CONTENT_LENGTH=settings.max_files * settings.max_file_bytes + 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        SESSION_COOKIE_NAME="__Host-helpdesk" if settings.is_https else "helpdesk",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_IDLE_MINUTES=settings.session_idle_minutes,
        SESSION_ABSOLUTE_DAYS=settings.session_absolute_days,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
