"""Which addresses may be called, in every spelling that could deceive."""

from ipaddress import ip_address, ip_network

import pytest

from crm_admin.outward.failures import NotSent, Reason
from crm_admin.outward.guard import Rules, check_addresses, is_public, parse_endpoint, resolve

OPEN = Rules()
HUBSPOT = Rules(hosts=("api.hubapi.com", "*.hubapi.com"))
LAB = Rules(
    hosts=("api.hubapi.com",),
    private=(ip_network("127.0.0.0/8"), ip_network("::1/128"), ip_network("10.1.0.0/16")),
)

REFUSED_AS_TEXT = [
    "",
    "api.hubapi.com",
    "//api.hubapi.com",
    "http://api.hubapi.com",
    "ftp://api.hubapi.com",
    "file:///etc/passwd",
    "gopher://api.hubapi.com",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "https://:443",
    "https://user@api.hubapi.com",
    "https://user:pass@api.hubapi.com",
    "https://api.hubapi.com@evil.example",
    "https://api.hubapi.com:443@evil.example",
    "https://evil.example\\@api.hubapi.com",
    "https://evil.example\\.hubapi.com",
    "https://api.hubapi.com:80",
    "https://api.hubapi.com:22",
    "https://api.hubapi.com:0",
    "https://api.hubapi.com:65536",
    "https://api.hubapi.com:443:443",
    "https://api.hubapi.com:+443",
    "https://api.hubapi.com:\uff14\uff14\uff13",
    "https://api.hubapi.com?x=1",
    "https://api.hubapi.com/?x=1",
    "https://api.hubapi.com/#x",
    "https://api.hubapi.com/../admin",
    "https://api.hubapi.com/%2e%2e/admin",
    "https://api%2ehubapi.com",
    "https://api.hubapi.com.",
    "https://.hubapi.com",
    "https://api..hubapi.com",
    "https://-api.hubapi.com",
    "https://api.hubapi.com\n.evil.example",
    "https://api.hubapi.com\r\nHost: evil.example",
    " https://api.hubapi.com",
    "https://api.hubapi.com\t",
    "https://api.hubapi.com/a b",
    "https://\u0430pi.hubapi.com",
    "https://ⓐpi.hubapi.com",
    "https://api。hubapi.com",
    "https://" + "a" * 64 + ".hubapi.com",
    "https://" + "a." * 200 + "hubapi.com",
    "https://" + "a" * 3000,
    "https://127.1",
    "https://0",
    "https://2130706433",
    "https://0x7f000001",
    "https://0x7f.1",
    "https://017700000001",
    "https://0177.0.0.1",
    "https://127.0.0.01",
    "https://127.0.0.256",
    "https://1.2.3.4.5",
    "https://[::1",
    "https://::1",
    "https://[::1]]",
    "https://[fe80::1%25eth0]",
    "https://[fe80::1%eth0]",
    "https://[::ffff:127.0.0.1.]",
    "https://[1]",
]


@pytest.mark.parametrize("url", REFUSED_AS_TEXT)
def test_an_address_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(NotSent) as refused:
        parse_endpoint(url, OPEN)

    assert refused.value.reason is Reason.REFUSED


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://hubapi.com",
        "https://api.hubapi.com.evil.example",
        "https://xhubapi.com",
        "https://evilhubapi.com",
        "https://8.8.8.8",
    ],
)
def test_a_host_that_is_not_the_crms_is_refused(url: str) -> None:
    with pytest.raises(NotSent, match="does not belong"):
        parse_endpoint(url, HUBSPOT)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://api.hubapi.com", "https://api.hubapi.com"),
        ("HTTPS://API.HUBAPI.COM:443/", "https://api.hubapi.com"),
        ("https://eu1.hubapi.com/base/", "https://eu1.hubapi.com/base"),
    ],
)
def test_the_crms_own_addresses_are_taken_in_one_spelling(url: str, plain: str) -> None:
    assert parse_endpoint(url, HUBSPOT).url == plain


INNER = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1"),
    *("172.31.255.255", "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1"),
    *("100.100.100.200", "168.63.129.16", "192.0.0.170", "192.0.2.1", "192.88.99.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"),
    *("::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1"),
    *("2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd00:ec2::254"),
    *("fe80::1", "fec0::1", "ff02::1", "5f00::1"),
]


@pytest.mark.parametrize("address", INNER)
def test_inner_addresses_are_not_public_in_any_disguise(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "104.16.0.1", "2606:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_world_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("inner", INNER)
def test_one_inner_address_among_public_ones_refuses_the_name(inner: str) -> None:
    target = parse_endpoint("https://api.hubapi.com", HUBSPOT)

    with pytest.raises(NotSent, match="private network"):
        check_addresses(target, ["104.16.0.1", inner], HUBSPOT)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8090/hubspot", "127.0.0.1"),
        ("http://localhost:8090", "127.0.0.1"),
        ("http://[::1]:8090", "::1"),
        ("https://simulator.example:9443", "10.1.2.3"),
    ],
)
def test_private_networks_that_are_listed_may_be_called_plainly(url: str, address: str) -> None:
    target = parse_endpoint(url, LAB)

    assert check_addresses(target, [address], LAB) == (address,)


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        pytest.param("http://127.0.0.1:8090", ["10.2.0.1"], id="another private network"),
        pytest.param("http://simulator.example", ["104.16.0.1"], id="plain http to the world"),
        pytest.param("https://simulator.example", ["104.16.0.1"], id="a strange host in the world"),
        pytest.param("https://api.hubapi.com:8443", ["104.16.0.1"], id="a strange port there"),
        pytest.param("http://lab.example", ["127.0.0.1", "104.16.0.1"], id="both at once"),
        pytest.param("http://[::ffff:127.0.0.1]", ["::ffff:127.0.0.1"], id="loopback in disguise"),
    ],
)
def test_the_exception_reaches_no_further_than_its_networks(url: str, addresses: list[str]) -> None:
    target = parse_endpoint(url, LAB)

    with pytest.raises(NotSent):
        check_addresses(target, addresses, LAB)


def test_a_name_without_addresses_is_not_called() -> None:
    target = parse_endpoint("https://api.hubapi.com", HUBSPOT)

    with pytest.raises(NotSent) as refused:
        check_addresses(target, [], HUBSPOT)

    assert refused.value.reason is Reason.NAME


def test_numbers_need_no_names() -> None:
    assert resolve("127.0.0.1", 80, 5.0) == ["127.0.0.1"]
