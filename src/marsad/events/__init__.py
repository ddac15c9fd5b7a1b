"""From entities and relations to events, by the schema's rule."""

from marsad.events.assemble import assemble, with_events

__all__ = ["assemble", "with_events"]
