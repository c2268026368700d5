"""A real name server in the test process: it knows the TXT records that it is given, and nothing else."""

import socketserver
import threading
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


@dataclass
class NameServer:
    """What it knows, by name; a name with no records exists and holds none."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._server = socketserver.UDPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def resolver(self) -> dns.resolver.Resolver:
        """Whoever asks this resolver asks this server."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        return resolver

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, connection = self.request
                connection.sendto(server._answer(data), self.client_address)

        return Handler

    def _answer(self, question: bytes) -> bytes:
        answer = dns.message.make_response(dns.message.from_wire(question))
        name = answer.question[0].name
        self.asked.append(name.to_text(omit_final_dot=True))
        records = self.texts.get(self.asked[-1])
        if records is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif records:
            quoted = [" ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200)) for text in records]
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", "TXT", quoted))
        return answer.to_wire()
