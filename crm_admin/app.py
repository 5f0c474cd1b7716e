"""The factory: puts settings, extensions, doors and commands together into one app."""

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from crm_admin import cli, config, crashpoints, database
from crm_admin.blueprints import register_blueprints
from crm_admin.config import Config
from crm_admin.extensions import babel, db, htmx, login_manager, migrate
from crm_admin.health import health

HERE = Path(__file__).resolve().parent
# a wheel carries them inside the package, a checkout beside it
INSIDE = HERE / "_migrations"
MIGRATIONS = INSIDE if INSIDE.is_dir() else HERE.parent / "migrations"


def create_app(settings: Config | None = None) -> Flask:
    """Return an application ready to serve; ConfigError lists every setting that forbids it."""
    settings = settings or config.load()
    app = Flask("crm_admin")
    app.config.update(
        CRM=settings,
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_import_file_size + 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
    )
    crashpoints.install(crashpoints.from_setting(settings.crashpoints))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    database.init_app(app, settings)
    migrate.init_app(app, db, directory=str(MIGRATIONS))
    login_manager.init_app(app)
    htmx.init_app(app)
    babel.init_app(app)
    app.register_blueprint(health)
    register_blueprints(app)
    cli.init_app(app)
    with app.app_context():
        database.refuse_strong_logins()
    return app
