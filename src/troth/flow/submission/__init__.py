"""Submission: the doors. Everything that sends, Troth itself included, enters here."""

from troth.flow.submission.connections import Connections
from troth.flow.submission.deps import Deps
from troth.flow.submission.door import nowhere, routes
from troth.flow.submission.request_log import RequestLog

__all__ = ["Connections", "Deps", "RequestLog", "nowhere", "routes"]
