"""Decides which addresses may be called, so that no setting turns us against our own network."""

import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from crm_admin.outward.failures import NotSent, Reason

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int, float], Sequence[str]]

LONGEST_URL = 2000
URL = re.compile(r"(https?)://([^/?#]+)(/[^?#]*)?\Z", re.IGNORECASE)
AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\Z")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
NUMBER = re.compile(r"(?:\d+|0x[0-9a-f]*)\Z")

WORLD_V6 = IPv6Network("2000::/3")
FORBIDDEN: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a cloud's metadata service on an address that looks public
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be called: host patterns (none = any), ports, and the networks that are exempt.

    In `private` networks plain http, any port and any host name are allowed as well.
    """

    hosts: tuple[str, ...] = ()
    ports: frozenset[int] = frozenset({443})
    private: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed endpoint; `exempt_only` means it may be called only inside the private networks."""

    scheme: str
    host: str
    port: int
    path: str
    exempt_only: bool

    @property
    def url(self) -> str:
        """Return the endpoint in its plain spelling, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        port = "" if self.port == usual else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def refused(sentence: str) -> NotSent:
    """Return the failure of an address that may not be called."""
    return NotSent(Reason.REFUSED, sentence)


def parse_endpoint(url: str, rules: Rules) -> Target:
    """Return the parts of an endpoint that may be called; NotSent says why another may not."""
    scheme, authority, path = _split(url)
    found = AUTHORITY.match(authority)
    if found is None:
        raise refused("The address has a host or port that cannot be used.")
    host = _host(found.group(1))
    port = int(found.group(2)) if found.group(2) else (443 if scheme == "https" else 80)
    if not 0 < port < 65536:
        raise refused("The port of the address is out of range.")
    named = not rules.hosts or any(fnmatchcase(host, pattern) for pattern in rules.hosts)
    exempt_only = scheme != "https" or port not in rules.ports or not named
    if exempt_only and not rules.private:
        raise refused(_why(scheme, port, rules))
    return Target(scheme, host, port, path.rstrip("/"), exempt_only)


def check_addresses(target: Target, addresses: Sequence[str], rules: Rules) -> tuple[str, ...]:
    """Return the addresses when every one of them may be called; NotSent otherwise.

    One forbidden address among several refuses all: an honest name has none.
    """
    if not addresses:
        raise NotSent(Reason.NAME, f"The name {target.host} has no address.")
    for text in addresses:
        address = _address(text)
        if any(address in network for network in rules.private):
            continue
        if target.exempt_only:
            raise refused(_why(target.scheme, target.port, rules))
        if not is_public(address):
            raise refused(f"{target.host} leads to an address inside a private network.")
    return tuple(addresses)


def is_public(address: Address) -> bool:
    """Say whether an address lies in the public internet, in no disguise of an inner one."""
    if isinstance(address, IPv6Address) and address not in WORLD_V6:
        return False
    return address.is_global and not any(address in network for network in FORBIDDEN)


def resolve(host: str, port: int, seconds: float) -> Sequence[str]:
    """Return the addresses of a name, asked once and within the time; NotSent otherwise."""
    answers: list[str] = []
    problems: list[OSError] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            problems.append(error)
        else:
            answers.extend(dict.fromkeys(str(entry[4][0]) for entry in found))

    # The system's resolver knows no deadline, so it is left alone when it takes too long.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise NotSent(Reason.NAME, f"The name {host} was not answered within {seconds:g} seconds.")
    if problems:
        raise NotSent(Reason.NAME, f"The name {host} is not known.") from problems[0]
    return answers


def _split(url: str) -> tuple[str, str, str]:
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise refused("The address holds characters that do not belong in one.")
    found = URL.match(url)
    if found is None or "\\" in url or "%" in url or ".." in url:
        raise refused("The address must look like https://host, with a path at most.")
    if "@" in url:
        raise refused("The address must not hold a name or password.")
    return found.group(1).lower(), found.group(2), found.group(3) or ""


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError as error:
            raise refused("The address holds a malformed number.") from error
    host = text.lower()
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.match(label) for label in labels):
        raise refused("The address has a host that cannot be used.")
    if NUMBER.match(labels[-1]):
        # Resolvers read 127.1, 0x7f000001 and 017700000001 as addresses, we the plain form only.
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise refused("The address holds a number in an unusual form.") from error
    return host


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise refused("The name leads to an address that cannot be read.") from error


def _why(scheme: str, port: int, rules: Rules) -> str:
    if scheme != "https":
        return "Only https addresses can be called, except in the networks of PRIVATE_ENDPOINTS."
    if port not in rules.ports:
        return f"Port {port} cannot be called, except in the networks of PRIVATE_ENDPOINTS."
    return "This host does not belong to the CRM."
