"""The shipments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "shipments",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("tracking", sa.String(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("ship_to", sa.JSON(), nullable=False),
        sa.Column("moves_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("order_id"),
        sa.UniqueConstraint("tracking"),
    )
    op.create_index(op.f("ix_shipments_moves_at"), "shipments", ["moves_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_shipments_moves_at"), table_name="shipments")
    op.drop_table("shipments")
