"""Metaclasses that make instances as fast as the C metaclass beneath them, which CPython 3.11 withholds from them.

A call of a class goes through its metaclass. A C metaclass may take the arguments as they lie on the stack; one that is
derived from it in Python inherits the place where that is said (`tp_vectorcall_offset`), but not the flag that it
counts: so each call makes a tuple and a dictionary, which takes longer than making the instance. From 3.12 on the flag
is inherited where `__call__` is (python/cpython#93274); here it is set in the same case.
"""

from __future__ import annotations

import sys
from typing import TypeVar

M = TypeVar("M", bound=type)

_HAVE_VECTORCALL = 1 << 11
_FLAGS_AT = 21 * 8
"""Where CPython 3.11 on 64 bits keeps the flags of a type."""


def inherits_vectorcall(metaclass: M) -> M:
    """Decorates a metaclass that leaves `__call__` alone, and is to be called as fast as its base."""
    is_meant = sys.implementation.name == "cpython" and sys.version_info[:2] == (3, 11) and sys.maxsize > 2**32
    if is_meant and "__call__" not in vars(metaclass) and metaclass.__mro__[1].__flags__ & _HAVE_VECTORCALL:
        import ctypes  # later versions do without

        flags = ctypes.c_ulong.from_address(id(metaclass) + _FLAGS_AT)
        if flags.value == metaclass.__flags__:  # it is where it is thought to be
            flags.value |= _HAVE_VECTORCALL
    return metaclass
