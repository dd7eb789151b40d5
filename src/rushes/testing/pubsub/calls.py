"""How a call is answered: counted, with the fault that is planned for it, and refusals put into words of the protocol."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import grpc

from rushes.testing.pubsub.broker import Broker
from rushes.testing.pubsub.faults import Fault, Faults
from rushes.testing.pubsub.refusals import Refused

Answer = Callable[[Any, grpc.ServicerContext, Fault | None], Any]
"""What a call does: its request, its context, and the fault that it is to heed itself."""


class Calls:
    """Makes handlers for one server."""

    def __init__(self, broker: Broker, faults: Faults) -> None:
        self.broker = broker
        self.faults = faults
        self.count: Counter[str] = Counter()

    def unary(self, name: str, request: Any, answer: Answer) -> grpc.RpcMethodHandler:
        """One request, one answer. `request` is its class."""

        def handle(message: Any, context: grpc.ServicerContext) -> Any:
            fault = self.begin(name, context)
            try:
                answered = answer(message, context, fault)
            except Refused as refused:
                refused.abort(context)
            if fault and fault.answer_lost:
                context.abort(grpc.StatusCode.UNAVAILABLE, fault.message)
            return answered

        return grpc.unary_unary_rpc_method_handler(
            handle, request_deserializer=request.FromString, response_serializer=serialized
        )

    def begin(self, name: str, context: grpc.ServicerContext) -> Fault | None:
        """Count a call, and let the fault that is planned for it happen."""
        with self.broker.changed:
            self.count[name] += 1
        fault = self.faults.next(name)
        if fault:
            time.sleep(fault.delay)
            if refusal := fault.refusal():
                refusal.abort(context)
        return fault


def serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def service(name: str, handlers: Mapping[str, grpc.RpcMethodHandler]) -> grpc.GenericRpcHandler:
    """A service's calls. Those not among them are answered by UNIMPLEMENTED."""
    return grpc.method_handlers_generic_handler(f"google.pubsub.v1.{name}", dict(handlers))


def page(names: list[str], request: Any) -> tuple[list[str], str]:
    """The names that a request for a list asks for, and the token of the next page."""
    start = int(request.page_token or 0)
    end = start + (request.page_size or 1000)
    return names[start:end], str(end) if end < len(names) else ""
