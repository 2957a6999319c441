"""Feedback: what comes back from outside and changes what may be sent: opt-outs now; bounces and complaints later."""

from troth.flow.feedback.deps import Deps
from troth.flow.feedback.unsubscribe import routes

__all__ = ["Deps", "routes"]
