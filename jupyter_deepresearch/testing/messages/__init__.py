"""A server that speaks the Messages API on the loopback, by a script."""

from .script import Answer, Call, Entry, Fault, times
from .sent import SentRequest
from .server import MessagesServer

__all__ = ["Answer", "Call", "Entry", "Fault", "MessagesServer", "SentRequest", "times"]
