"""Ports on this machine: whether one is free, and one that stays the same over restarts."""

import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Tell whether we could listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def lasting(note: Path, wish: int) -> int:
    """Return the port noted at the first start: connections keep its address."""
    text = note.read_text(encoding="utf-8").strip() if note.exists() else ""
    if text.isdigit() and is_free(int(text)):
        return int(text)
    port = wish if is_free(wish) else any_free()
    note.write_text(f"{port}\n", encoding="utf-8")
    return port
