"""The servers a checkout brings itself: PostgreSQL and Valkey, unless the settings name others."""

from dataclasses import dataclass
from pathlib import Path

from crm_admin.launcher import databases
from crm_admin.launcher.account import for_servers
from crm_admin.launcher.places import Places, make_home
from crm_admin.launcher.servers import PostgreSQL, Valkey


@dataclass(slots=True)
class Embedded:
    """Those of the two servers that are needed; start and stop them in order."""

    postgres: PostgreSQL | None
    valkey: Valkey | None
    login_password: str

    def start(self) -> dict[str, str]:
        """Start what is needed; returns the settings that lead there."""
        found = {}
        if self.postgres is not None:
            self.postgres.start()
            found["DATABASE_URL"] = databases.prepare(self.postgres, password=self.login_password)
        if self.valkey is not None:
            self.valkey.start()
            found["REDIS_URL"] = self.valkey.url
        return found

    def stop(self) -> None:
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()

    def pids(self) -> dict[str, int]:
        named = {"postgresql": self.postgres, "valkey": self.valkey}
        return {
            name: server.process.pid
            for name, server in named.items()
            if server is not None and server.process is not None
        }


def needed(
    environ: dict[str, str], *, places: Places, sockets: Path, secrets: dict[str, str]
) -> Embedded:
    """Return the servers that `environ` does not name already."""
    postgres = valkey = None
    if not environ.get("DATABASE_URL"):
        postgres = PostgreSQL(
            data=_data(places, secrets["installation"]),
            sockets=sockets / "pg",
            home=places.home,
            password=secrets["superuser_password"],
            log=places.logs / "postgresql.log",
        )
    if not environ.get("REDIS_URL"):
        valkey = Valkey(
            data=places.var / "valkey",
            sockets=sockets,
            password=secrets["valkey_password"],
            log=places.logs / "valkey.log",
        )
    return Embedded(postgres, valkey, secrets["login_password"])


def _data(places: Places, installation: str) -> Path:
    """PostgreSQL's files stay in `var/` unless its account cannot get there."""
    # a new checkout in an old one's place has other passwords, so it must not find the old files
    elsewhere = places.home / f"postgresql-{installation}"
    if not elsewhere.exists() and for_servers().can_enter(places.var):
        return places.var / "postgresql"
    make_home(places.home)
    return elsewhere
