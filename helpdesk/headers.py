"""Security headers on every response."""

from flask import Flask, Response, request

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors {ancestors}; base-uri 'none'"
)
MAIL_CSP = "default-src 'none'; img-src data:; style-src {origin}; sandbox; frame-ancestors 'self'"
FILE_CSP = "default-src 'none'; sandbox; frame-ancestors 'none'"


def init_app(app: Flask, *, is_https: bool) -> None:
    """Add the headers a response does not bring itself."""

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CSP.format(ancestors="'none'"))
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if is_https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if request.path.startswith("/desk") or request.path.startswith("/ticket"):
            response.headers["Cache-Control"] = "no-store"
        return response
