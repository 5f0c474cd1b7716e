"""A PostgreSQL and a Valkey of our own, in private folders, for a demo, a command, a test run."""

import secrets
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
import redis

from crm_admin.errors import Unavailable
from crm_admin.launcher import binaries, processes
from crm_admin.launcher.account import Account, for_servers

SUPERUSER: Final = "postgres"
READY_SECONDS: Final = 30
UNSAFE_BUT_FAST: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_compression": "on",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


@dataclass(slots=True)
class PostgreSQL:
    """A cluster below `data`, reached through a socket in `sockets` and by password only."""

    data: Path
    sockets: Path
    home: Path
    password: str
    log: Path | None = None
    settings: dict[str, str] = field(default_factory=dict)
    account: Account = field(default_factory=for_servers)
    process: subprocess.Popen[bytes] | None = None
    ending: signal.Signals = signal.SIGINT  # fast shutdown; SIGTERM would wait for every client

    def start(self) -> None:
        """Run the cluster, made anew if there is none; returns when it answers."""
        programs = binaries.postgres(self.account, self.home)
        self._make_folders()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs)
        self._await_predecessor()
        options = {**SETTINGS, **self.settings, "unix_socket_directories": str(self.sockets)}
        command: list[str | Path] = [programs / "postgres", "-D", self.data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self.process = processes.start(
            processes.Program(command, log=self.log, account=self.account, ending=self.ending)
        )
        self._await_ready()

    def stop(self) -> None:
        if self.process is not None:
            processes.stop(self.process, self.ending)
            self.process = None

    def url(self, user: str, password: str, database: str) -> str:
        """Return an address for SQLAlchemy."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql+psycopg://{user}:{quote(password, safe='')}@/{database}?host={host}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Open a connection as superuser, each statement on its own."""
        return psycopg.connect(
            host=str(self.sockets),
            user=SUPERUSER,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _make_folders(self) -> None:
        for folder in (self.data, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.account.give(folder)

    def _initialise(self, programs: Path) -> None:
        secret = self.sockets / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password + "\n", encoding="utf-8")
        self.account.give(secret)
        command: list[str | Path] = [
            programs / "initdb",
            "-D",
            self.data,
            "-U",
            SUPERUSER,
            "-E",
            "UTF8",
        ]
        command += ["--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
        done = subprocess.run(
            command, cwd="/", capture_output=True, text=True, check=False, **self.account.switch
        )
        secret.unlink()
        if done.returncode:
            raise Unavailable(f"PostgreSQL could not make its files: {done.stderr.strip()}")

    def _await_predecessor(self) -> None:
        """A postmaster whose starter was killed takes a moment to leave."""
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + READY_SECONDS
        while pid_file.exists() and time.monotonic() < deadline:
            first = pid_file.read_text(encoding="utf-8").partition("\n")[0]
            if not first.isdigit() or str(self.data) not in processes.command_line(int(first)):
                return
            time.sleep(0.05)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        socket = self.sockets / ".s.PGSQL.5432"
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise Unavailable(f"PostgreSQL did not start; see {self.log}.")
            if socket.exists():
                try:
                    self.connect().close()
                except psycopg.OperationalError:
                    time.sleep(0.02)
                else:
                    return
            time.sleep(0.01)
        raise Unavailable(f"PostgreSQL does not answer; see {self.log}.")


@dataclass(slots=True)
class Valkey:
    """A Valkey with its append-only file below `data`, reached through a socket and by password."""

    data: Path
    sockets: Path
    password: str = field(default_factory=lambda: secrets.token_hex(16))
    log: Path | None = None
    durable: bool = True
    process: subprocess.Popen[bytes] | None = None
    ending: signal.Signals = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"unix://{self.sockets / 'valkey'}?db=0&password={self.password}"

    def start(self) -> None:
        """Run it; returns when it answers."""
        for folder in (self.data, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.sockets / "valkey"),
            "unixsocketperm": "700",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "requirepass": self.password,
        }
        # the password goes through stdin: command lines can be read by everyone
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        self.process = processes.start(
            processes.Program(
                [binaries.valkey(), "-"],
                log=self.log,
                cwd=self.data,
                stdin=text,
                ending=self.ending,
            )
        )
        self._await_ready()

    def stop(self) -> None:
        if self.process is not None:
            processes.stop(self.process, self.ending)
            self.process = None

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise Unavailable(f"Valkey did not start; see {self.log}.")
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return
        raise Unavailable(f"Valkey does not answer; see {self.log}.")
