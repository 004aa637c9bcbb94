"""Signed tokens: who somebody is, and until when that holds."""

from __future__ import annotations

import hashlib
import hmac


def sign(customer_id: str, expires: float, secret: str) -> str:
    """`expires` is in seconds since the epoch."""
    claim = f"{customer_id}.{expires:.0f}"
    return f"{claim}.{_signature(claim, secret)}"


def verify(token: str, now: float, secret: str) -> str | None:
    """The customer; None when the token is forged or has expired."""
    claim, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(claim, secret).encode()):
        return None
    customer_id, _, expires = claim.rpartition(".")
    return customer_id if float(expires) > now else None


def _signature(claim: str, secret: str) -> str:
    return hmac.new(secret.encode(), claim.encode(), hashlib.sha256).hexdigest()
