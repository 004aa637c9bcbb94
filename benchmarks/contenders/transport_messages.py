"""What every transport carries, as messages of Protocol Buffers, which is what gRPC is used with."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from benchmarks.contenders.transport_asked import NOTE, PICTURE, Asked, Level, Line

DOUBLE, INT64, BOOL, STRING, MESSAGE, BYTES = 1, 3, 8, 9, 11, 12
OPTIONAL, REPEATED = 1, 3
CODES = {
    "sku": STRING,
    "quantity": INT64,
    "count": INT64,
    "whole": BOOL,
    "price": DOUBLE,
    "note": STRING,
    "lines": MESSAGE,
    "picture": BYTES,
}


def _messages() -> list[Any]:
    """Described here, so that no generated code is needed; it would make the same classes."""
    file = descriptor_pb2.FileDescriptorProto(name="stock.proto", package="stock", syntax="proto3")
    for kind in (Asked, Line, Level):
        message = file.message_type.add(name=kind.__name__)
        for number, name in enumerate(kind.__struct_fields__, 1):
            code = CODES[name]
            field = message.field.add(
                name=name, number=number, type=code, label=REPEATED if code == MESSAGE else OPTIONAL
            )
            if code == MESSAGE:
                field.type_name = ".stock.Line"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    found = pool.FindFileByName("stock.proto").message_types_by_name
    return [message_factory.GetMessageClass(found[kind.__name__]) for kind in (Asked, Line, Level)]


ASKED, LINE, LEVEL = _messages()


def written(asked: Asked) -> bytes:
    """A question."""
    message = ASKED(sku=asked.sku, quantity=asked.quantity, count=asked.count, whole=asked.whole)
    return bytes(message.SerializeToString())


def answer_message(asked: Any) -> Any:
    """As `transport_asked.answer`."""
    if asked.whole:
        return LEVEL(picture=PICTURE)
    return LEVEL(lines=[LINE(sku=asked.sku, quantity=asked.quantity, price=9.5, note=NOTE) for _ in range(asked.count)])
