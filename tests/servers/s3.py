"""An S3-compatible store on a free loopback port; it can be switched off and on again with all that it holds."""

import logging
import urllib.request

from moto.server import ThreadedMotoServer

BUCKET = "desk"


class S3:
    """The store, and the setting that names its bucket."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = _start(0)
        self.host, self.port = self._server.get_host_and_port()
        request = urllib.request.Request(f"http://{self.host}:{self.port}/{BUCKET}", method="PUT")
        urllib.request.urlopen(request, timeout=30).close()

    def url(self, prefix: str) -> str:
        """The value of HELPDESK_FILES_URL for a part of the bucket."""
        return f"s3://{BUCKET}/{prefix}?endpoint=http://{self.host}:{self.port}&region=us-east-1"

    def stop(self) -> None:
        """Nobody answers any more."""
        self._server.stop()

    def start(self) -> None:
        """All is there again."""
        self._server = _start(self.port)


def _start(port: int) -> ThreadedMotoServer:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    return server
