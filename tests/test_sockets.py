import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_nothing_beyond_this_machine_can_be_reached():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe,
        pytest.raises((SocketConnectBlockedError, UserWarning), match="allowed"),
    ):
        probe.connect(("192.0.2.1", 80))


def test_this_machine_can_be_reached():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
