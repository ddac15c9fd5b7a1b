"""The errors a user should meet. Each message names the thing, shows the value, and ends with what to do."""


class MarsadError(ValueError):
    """Anything wrong with what a user handed to marsad; the base of the three below."""


class ConfigError(MarsadError):
    """A configuration or schema file that cannot be used; the message lists every problem in it."""


class AnnotationError(MarsadError):
    """Documents or annotation files that contradict themselves or the schema."""


class ModelError(MarsadError):
    """A model folder that cannot be loaded or does not fit what is asked of it."""
