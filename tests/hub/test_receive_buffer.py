"""The kernel keeps little of a file that comes from near by."""

import socket
from collections.abc import Iterator

import pytest

from qwen_tui.hub.receive_buffer import NEAR_RECEIVE_BYTES, limit_receive_buffer


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as connection,
    ):
        yield connection


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="the kernel does not tell")
def test_a_near_connection_gets_a_small_buffer(connection: socket.socket) -> None:
    limit_receive_buffer(connection)
    # the kernel doubles it for its own needs (socket(7))
    size = connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert size == 2 * NEAR_RECEIVE_BYTES


def test_a_connection_of_unknown_distance_keeps_its_buffer() -> None:
    here, there = socket.socketpair()
    with here, there:
        before = here.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        limit_receive_buffer(here)
        assert here.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == before
    limit_receive_buffer(None)
