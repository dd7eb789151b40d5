"""How the service says no: a status, words, and for acknowledgements under exactly-once delivery a reason for each id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

INVALID_ACK_ID = "PERMANENT_FAILURE_INVALID_ACK_ID"
"""Its deadline has passed, or a later delivery has another id, or it is acknowledged already."""
UNORDERED_ACK_ID = "TRANSIENT_FAILURE_UNORDERED_ACK_ID"
"""An earlier message of its ordering key is not acknowledged yet."""


class Refused(Exception):
    """A call that is answered by an error."""

    def __init__(self, code: grpc.StatusCode, message: str, *, ack_ids: Mapping[str, str] | None = None) -> None:
        """`ack_ids` are those that could not be served, each with its reason; the others were."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.ack_ids = ack_ids

    def abort(self, context: grpc.ServicerContext) -> NoReturn:
        """Answer with it, in the form that Google's clients take apart (google.rpc.Status in the trailing metadata)."""
        if self.ack_ids:
            info = error_details_pb2.ErrorInfo(
                reason="EXACTLY_ONCE_ACKID_FAILURE", domain="pubsub.googleapis.com", metadata=dict(self.ack_ids)
            )
            detail = any_pb2.Any()
            detail.Pack(info)
            status = status_pb2.Status(code=self.code.value[0], message=self.message, details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, self.message)
        raise AssertionError("abort raises")


def not_found(name: str) -> Refused:
    return Refused(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={name.rpartition('/')[2]}).")


def exists(name: str) -> Refused:
    return Refused(
        grpc.StatusCode.ALREADY_EXISTS, f"Resource already exists in the project (resource={name.rpartition('/')[2]})."
    )


def invalid(message: str) -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, message)


def unable(what: str) -> Refused:
    """For what the service can and this server cannot: better than to accept it and do nothing."""
    return Refused(grpc.StatusCode.UNIMPLEMENTED, f"rushes.testing.pubsub does not do {what}")
