"""Why a server could not be reached, in words that say what to do."""

import socket
import ssl

EXPIRED = 10
OTHER_NAME = (62, 64)


def trouble_of(error: BaseException, *, host: str, port: int) -> str | None:
    """A sentence about the network or TLS, None when the server was reached and said something itself."""
    where = f"{host}:{port}"
    match error:
        case ssl.SSLCertVerificationError(verify_code=code) if code == EXPIRED:
            return f"The certificate of {where} has expired; renew it there."
        case ssl.SSLCertVerificationError(verify_code=code) if code in OTHER_NAME:
            return f"The certificate of {where} is for another name; use the name that is in it."
        case ssl.SSLCertVerificationError():
            return f"The certificate of {where} comes from somebody unknown; name its authority, or get a public one."
        case ssl.SSLError():
            return f"{where} does not speak TLS as we were told to; check port and security."
        case socket.gaierror():
            return f"There is no host called {host}; check its name and the name server."
        case ConnectionRefusedError():
            return f"Nobody listens at {where}; check host and port, and that the server runs."
        case TimeoutError():
            return f"{where} does not answer in time; check host, port and firewall."
    return None
