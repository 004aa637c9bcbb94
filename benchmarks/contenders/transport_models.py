"""The same question and answer as models of pydantic, and an application of FastAPI as its users write one."""

from __future__ import annotations

from fastapi import FastAPI, Response
from pydantic import BaseModel

from benchmarks.contenders.transport_asked import IMAGE, LARGE, NOTE, PICTURE, SMALL, Asked, Level

LEVEL, PICTURED = "/level", "/picture"
JSON = {"content-type": "application/json"}


class AskedModel(BaseModel):
    """What is asked."""

    sku: str
    quantity: int
    count: int = 1
    whole: bool = False


class LineModel(BaseModel):
    """One line of the answer."""

    sku: str
    quantity: int
    price: float
    note: str


class LevelModel(BaseModel):
    """The answer."""

    lines: list[LineModel] = []


def application() -> FastAPI:
    """Models in and out; a picture is no JSON."""
    app = FastAPI()

    @app.post(LEVEL, response_model=LevelModel)
    async def level(asked: AskedModel) -> LevelModel:
        made = [LineModel(sku=asked.sku, quantity=asked.quantity, price=9.5, note=NOTE) for _ in range(asked.count)]
        return LevelModel(lines=made)

    @app.post(PICTURED)
    async def picture(asked: AskedModel) -> Response:
        return Response(PICTURE, media_type="image/png")

    return app


MODELS = {
    id(asked): AskedModel(sku=asked.sku, quantity=asked.quantity, count=asked.count, whole=asked.whole)
    for asked in (SMALL, LARGE, IMAGE)
}


def question(asked: Asked) -> tuple[str, str]:
    """Where to ask, and the body."""
    return PICTURED if asked.whole else LEVEL, MODELS[id(asked)].model_dump_json()


def read_answer(asked: Asked, body: bytes) -> Level | LevelModel:
    """What was answered."""
    return Level(picture=body) if asked.whole else LevelModel.model_validate_json(body)
