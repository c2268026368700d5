"""`helpdesk lmtp`: listens for a mail server on this machine; SIGTERM lets what is under way come to its end."""

import asyncio
import logging
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from helpdesk import create_app
from helpdesk.config import UNIX, Settings
from helpdesk.errors import Misconfigured
from helpdesk.inbound.sources.lmtp import Conversation, keep_mail
from helpdesk.ports import listen, listen_unix

MOST_CONNECTIONS = 10
LONGEST_CONNECTION_SECONDS = 600.0
KEEPING_THREADS = 4
PATIENCE_SECONDS = 10.0
LOOK_EVERY_SECONDS = 0.05


def listen_for_mail(settings: Settings) -> socket.socket:
    """The socket that HELPDESK_LMTP_BIND names. Raises Misconfigured when there is none, or none can be had."""
    if not settings.lmtp_bind:
        raise Misconfigured("Say where to listen: HELPDESK_LMTP_BIND, such as 127.0.0.1:2424 or unix:/run/….sock.")
    if settings.lmtp_bind.startswith(UNIX):
        return listen_unix(settings.lmtp_bind.removeprefix(UNIX))
    return listen(settings.lmtp_bind)


def take_mail(settings: Settings, listener: socket.socket) -> None:
    """Take mail on a socket that is bound already, until SIGTERM or SIGINT."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it would write addresses, which hold tokens
    asyncio.run(_serve(create_app(settings), listener))


async def _serve(app: Flask, listener: socket.socket) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    connections: set[Conversation] = set()
    with ThreadPoolExecutor(KEEPING_THREADS, "keep") as threads:

        def keep(raw: bytes, sender: str, recipients: tuple[str, ...]) -> "asyncio.Future[str]":
            return loop.run_in_executor(threads, keep_mail, app, raw, sender, recipients)

        def converse() -> Conversation:
            return Conversation(keep, connections, most=MOST_CONNECTIONS, seconds=LONGEST_CONNECTION_SECONDS, loop=loop)

        is_unix = listener.family == socket.AF_UNIX
        start = loop.create_unix_server if is_unix else loop.create_server
        server = await start(converse, sock=listener)
        await stop.wait()
        server.close()
        await _finish(connections)


async def _finish(connections: set[Conversation]) -> None:
    """Hang up where nothing is under way, and wait a while for the rest."""
    for conversation in list(connections):
        conversation.finish()
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while connections and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
