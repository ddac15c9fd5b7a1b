"""The predictor as a web service: `create_app`. Needs the extra `[serve]`."""

from marsad.inference.server.app import create_app
from marsad.inference.server.limits import Limits

__all__ = ["Limits", "create_app"]
