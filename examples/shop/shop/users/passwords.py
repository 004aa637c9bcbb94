"""Passwords as scrypt hashes (RFC 7914) that carry their own salt and cost."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets


async def hash_password(password: str, cost: int) -> str:
    """`cost` is scrypt's N: 4096 takes about 25 ms and 4 MB."""
    salt = secrets.token_hex(16)
    return f"{cost}:{salt}:{await _scrypt(password, salt, cost)}"


async def is_password(password: str, hashed: str) -> bool:
    cost, salt, expected = hashed.split(":")
    return hmac.compare_digest(await _scrypt(password, salt, int(cost)), expected)


async def _scrypt(password: str, salt: str, cost: int) -> str:
    key = await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt.encode(), n=cost, r=8, p=1, dklen=32)
    return key.hex()
