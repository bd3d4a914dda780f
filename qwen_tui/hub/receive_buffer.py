"""Keep little of a file in the kernel, where a killed process loses it.

The kernel receives for a process that does not read, up to 6 MB (tcp_rmem), and
on a fast link that is what it holds most of the time. A small buffer there costs
nothing. On a slow link it would: a window below bandwidth times round trip is the
speed limit. But there the process waits for the network, and the buffer is empty.
"""

import contextlib
import socket
import struct

NEAR_RECEIVE_BYTES = 96 * 1024  # with the chunk in our hands under 256 KiB
_NEAR_US = 1000
_MIN_RTT_OFFSET = 148  # struct tcp_info of linux/tcp.h, since Linux 4.6


def limit_receive_buffer(connection: object) -> None:
    """Give a connection a small receive buffer when its peer is near.

    Args:
        connection: The socket, or what a library has in its place.
    """
    if not isinstance(connection, socket.socket) or not _is_near(connection):
        return
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NEAR_RECEIVE_BYTES)


def _is_near(connection: socket.socket) -> bool:
    """Whether a round trip takes under a millisecond, as far as the kernel tells."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return False
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, option, _MIN_RTT_OFFSET + 4)
        (rtt_us,) = struct.unpack_from("=I", info, _MIN_RTT_OFFSET)
    except (OSError, struct.error):
        return False
    return rtt_us < _NEAR_US
