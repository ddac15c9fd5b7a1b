"""What one request may ask for, and the middleware that reads no more of a body than that."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Limits:
    """Limits of a service; what goes beyond one is answered with the status beside it.

    `body_bytes`: of one request (413). `characters`: of one report (413). `reports`: in one request (413). `waiting`:
    reports that wait for the model, of all requests (429). `seconds`: from a request's arrival to its answer (503).
    """

    body_bytes: int = 10_000_000
    characters: int = 500_000
    reports: int = 500
    waiting: int = 2_000
    seconds: float = 60.0


class BodyLimit:
    """Reads a body whole before anything else sees it, and refuses one that is too large as soon as that is known."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app = app
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI says."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = await self._read(scope, receive)
        if body is None:
            detail = f"the body is larger than {self.most_bytes} bytes: send fewer or shorter reports in one request"
            headers = {"Connection": "close"}
            await JSONResponse({"detail": detail}, status_code=413, headers=headers)(scope, receive, send)
            return
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        await self.app(scope, again, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the body, None where it is too large, what came of it where the client hung up."""
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self.most_bytes:
            return None
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self.most_bytes:
                return None
            if message["type"] != "http.request" or not message.get("more_body"):
                return bytes(body)
