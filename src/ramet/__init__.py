"""Write one Python application as services, and decide later where each one runs."""

from ramet import interruption as _  # noqa: F401 - first, for what follows takes a while
from ramet.clock import Clock, SystemClock, VirtualClock
from ramet.contract.api import Api, delete, get, patch, post, put
from ramet.contract.application import Application
from ramet.contract.calling import calling
from ramet.contract.external import External
from ramet.contract.mounted import Mounted
from ramet.contract.saga import Saga, step, wait
from ramet.contract.service import Contract, SagaRef, command, every, on, query
from ramet.contract.struct import Event, Struct
from ramet.contract.web.markers import Body, Cookie, Form, Header, Limits, Query
from ramet.contract.web.pages import Page, Paged
from ramet.contract.web.request import Request, Upload
from ramet.contract.web.responses import EventStream, File, Message, Redirect, Reply, Stream
from ramet.errors import (
    Denied,
    InvalidArguments,
    NotFound,
    OutcomeUnknown,
    RametError,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from ramet.http.clients import blocking, client
from ramet.settings import Secret, Settings
from ramet.storage.database import Database
from ramet.telemetry.context import Caller, Context

__all__ = [
    "Api",
    "Application",
    "Body",
    "Caller",
    "Clock",
    "Context",
    "Contract",
    "Cookie",
    "Database",
    "Denied",
    "Event",
    "EventStream",
    "External",
    "File",
    "Form",
    "Header",
    "InvalidArguments",
    "Limits",
    "Message",
    "Mounted",
    "NotFound",
    "OutcomeUnknown",
    "Page",
    "Paged",
    "Query",
    "RametError",
    "Redirect",
    "Refusal",
    "Reply",
    "Request",
    "Saga",
    "SagaRef",
    "Secret",
    "Settings",
    "Stream",
    "Struct",
    "SystemClock",
    "Unauthenticated",
    "Unavailable",
    "Upload",
    "VirtualClock",
    "blocking",
    "calling",
    "client",
    "command",
    "delete",
    "every",
    "get",
    "on",
    "patch",
    "post",
    "put",
    "query",
    "step",
    "wait",
]
