"""What the package raises. Each message says what, where and what to do."""

from __future__ import annotations


class DeepslateError(Exception):
    """The base of all errors of this package."""


class CompileError(DeepslateError):
    """A flow, or a function that it uses, is outside the language; the message is the rendered diagnostics."""


class StoreError(DeepslateError):
    """The store can't do what was asked: locked by another engine, read-only, of a newer format, damaged."""


class FlowFailed(DeepslateError):
    """A flow ended by a trap."""

    def __init__(self, name: str, kind: str, message: str, trace: str) -> None:
        super().__init__(f"{name} failed: {kind}: {message}\n{trace}".rstrip())
        self.name = name
        self.kind = kind
        self.message = message
        self.trace = trace


class FlowCancelled(DeepslateError):
    """A flow was cancelled."""


class FlowEnded(DeepslateError):
    """Nothing can be sent any more: the flow has ended, or its queue is closed."""


class QueueFull(DeepslateError):
    """A queue has as many elements as it takes; try again when the flow has taken some."""


def only_in_a_flow(what: str) -> RuntimeError:
    """The error of a call that has a meaning in a flow only."""
    return RuntimeError(
        f"{what} can be called only inside a @flow function, which deepslate runs; ordinary Python has nothing to commit it to"
    )
