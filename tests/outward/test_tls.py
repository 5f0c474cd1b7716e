"""Only the server whose certificate fits gets to see a request."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crm_admin.outward.calls import Request
from crm_admin.outward.failures import NotSent, Reason
from crm_admin.outward.transport import Endpoint, Transport, Wiring
from crm_admin.outward.wire import Deadlines
from tests.outward.raw_server import answer, says, serving

LOOPBACK = (ip_network("127.0.0.0/8"),)
GET = Request("GET", "/things")
REPLY = says(answer(b"{}"))


def certificate(folder: Path, host: str, *, until: timedelta = timedelta(days=1)) -> Path:
    """A self-signed certificate with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{host}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def context_of(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def transport_to(port: int, trusted: Path | None) -> Transport:
    def here(_host: str, _port: int, _seconds: float) -> Sequence[str]:
        return ["127.0.0.1"]

    wiring = Wiring(
        private_networks=LOOPBACK,
        resolver=here,
        ca_file=str(trusted) if trusted else None,
        deadlines=Deadlines(connect=0.5),
    )
    return Transport(Endpoint(f"https://crm.example:{port}"), wiring)


def test_a_trusted_certificate_of_the_host_is_taken(tmp_path: Path) -> None:
    mine = certificate(tmp_path, "crm.example")

    with serving(REPLY, context_of(mine)) as server:
        assert transport_to(server.port, mine).send(GET).ok
        assert b"Host: crm.example:" in server.requests[0]


def test_a_certificate_of_another_host_gets_no_request(tmp_path: Path) -> None:
    other = certificate(tmp_path, "other.example")

    with serving(REPLY, context_of(other)) as server:
        with pytest.raises(NotSent) as failed:
            transport_to(server.port, other).send(GET)

        assert server.requests == []
    assert failed.value.reason is Reason.TLS


def test_an_expired_certificate_gets_no_request(tmp_path: Path) -> None:
    old = certificate(tmp_path, "crm.example", until=timedelta(days=-1))

    with serving(REPLY, context_of(old)) as server:
        with pytest.raises(NotSent, match="expired"):
            transport_to(server.port, old).send(GET)

        assert server.requests == []


def test_a_certificate_nobody_vouches_for_gets_no_request(tmp_path: Path) -> None:
    mine = certificate(tmp_path, "crm.example")

    with serving(REPLY, context_of(mine)) as server:
        with pytest.raises(NotSent) as failed:
            transport_to(server.port, None).send(GET)

        assert server.requests == []
    assert failed.value.reason is Reason.TLS


def test_there_is_no_falling_back_to_plain_http() -> None:
    with serving(REPLY) as server:
        with pytest.raises(NotSent):
            transport_to(server.port, None).send(GET)

        assert server.requests == []
