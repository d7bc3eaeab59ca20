"""Durable execution without event replay: flows in plain typed Python that survive kill -9."""

from . import dpslio
from ._errors import CompileError, DeepslateError, FlowCancelled, FlowEnded, FlowFailed, QueueFull, StoreError
from ._flow import FlowDefinition, flow, http_listen, http_request, impure, now, pure, random, sleep, uuid
from ._host import Context, context
from ._json import json_marshal, json_unmarshal
from ._native import __version__
from ._platform import Platform, new_embedded, new_platform, new_postgres, new_redis, spawn_inspector, spawn_workers
from ._values import DSError

__all__ = [
    "CompileError",
    "Context",
    "DSError",
    "DeepslateError",
    "FlowCancelled",
    "FlowDefinition",
    "FlowEnded",
    "FlowFailed",
    "Platform",
    "QueueFull",
    "StoreError",
    "__version__",
    "context",
    "dpslio",
    "flow",
    "http_listen",
    "http_request",
    "impure",
    "json_marshal",
    "json_unmarshal",
    "new_embedded",
    "new_platform",
    "new_postgres",
    "new_redis",
    "now",
    "pure",
    "random",
    "sleep",
    "spawn_inspector",
    "spawn_workers",
    "uuid",
]
