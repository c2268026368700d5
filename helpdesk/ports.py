"""Sockets to listen on: bound before anything starts, so that a taken port never leaves a half-started desk."""

import errno
import socket
import stat
from pathlib import Path

from helpdesk.errors import Misconfigured

HIGHEST_PORT = 65535
BACKLOG = 512
NEXT_PORTS = 50


def listen(bind: str) -> socket.socket:
    """A listening socket for HOST:PORT. Raises Misconfigured when the words make no address or the port is taken."""
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or int(port) > HIGHEST_PORT:
        raise Misconfigured(f"“{bind}” is no address to listen on; write it as 127.0.0.1:5000.")
    try:
        return _bound(host.strip("[]"), int(port))
    except OSError as error:
        raise Misconfigured(f"Cannot listen on {bind}: {_why(error)}.") from error


def listen_near(port: int) -> socket.socket:
    """A listening socket on this machine alone, on `port` or the next free one; any free one for 0."""
    for candidate in range(port, min(port + NEXT_PORTS, HIGHEST_PORT)):
        try:
            return _bound("127.0.0.1", candidate)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise Misconfigured(f"No port from {port} to {port + NEXT_PORTS} is free.")


def listen_unix(path: str) -> socket.socket:
    """A listening socket in the file system; what a program that has ended left there is removed.

    Like a port of this machine it is open to every account here that reaches its folder. Raises Misconfigured when
    it cannot be had.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        _remove_abandoned(Path(path))
        listener.bind(path)
        Path(path).chmod(0o666)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Misconfigured(f"Cannot listen on unix:{path}: {error.strerror or error}.") from error
    return listener


def port_of(listener: socket.socket) -> int:
    """The port a socket listens on."""
    port: int = listener.getsockname()[1]
    return port


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_abandoned(path: Path) -> None:
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


def _why(error: OSError) -> str:
    return "another program uses this port" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
