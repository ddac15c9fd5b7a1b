"""What one request may ask for, and the middleware that reads no more of a body than that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from marsad.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Limits of a service; what goes beyond one is answered with the status beside it.

    `body_bytes`: of one request (413). `characters`: of one report (413). `reports`: in one request (413). `waiting`:
    reports that wait for the model, of all requests (429). `seconds`: for a body to arrive (408), and
    then to its answer (503).
    """

    body_bytes: int = 10_000_000
    characters: int = 500_000
    reports: int = 500
    waiting: int = 2_000
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.reports > self.waiting:
            raise ConfigError(
                f"{self.reports} reports are allowed in one request, and only {self.waiting} may wait: such a request "
                "could never be taken; raise the one or lower the other"
            )


class BodyLimit:
    """Reads a body whole before anything else sees it, and refuses one that is too large as soon as that is known."""

    def __init__(self, app: ASGIApp, most_bytes: int, seconds: float) -> None:
        self.app = app
        self.most_bytes = most_bytes
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI says."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, detail = 413, f"the body is larger than {self.most_bytes} bytes: send fewer or shorter reports at once"
        try:
            body = await asyncio.wait_for(self._read(scope, receive), self.seconds)
        except TimeoutError:
            status, detail, body = 408, f"the body had not arrived after {self.seconds:g} seconds: send it again", None
        if body is None:
            answer = JSONResponse({"detail": detail}, status_code=status, headers={"Connection": "close"})
            await answer(scope, receive, send)
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
