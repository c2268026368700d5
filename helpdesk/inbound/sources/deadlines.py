"""A deadline for a whole conversation: a server that sends a byte now and then never runs into a timeout."""

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def within(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Cut the connection when what is done inside takes longer. Raises TimeoutError then, whatever came of it."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)  # below TLS, whose own state another thread uses

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if late.is_set():
            raise TimeoutError(f"it was not done within {seconds:.0f} seconds") from error
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError(f"it was not done within {seconds:.0f} seconds")
