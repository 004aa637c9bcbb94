"""A Django project in one file, with synchronous and asynchronous views."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse

from ramet.http.clients import blocking, client
from tests.integration.http.inventory import Inventory

inventory = client(Inventory)

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="only a test", USE_TZ=True, DEFAULT_CHARSET="utf-8"
    )
    django.setup()


def stock(request: HttpRequest, sku: str) -> JsonResponse:
    return JsonResponse(
        {"stock": blocking(inventory.stock)(sku), "path": request.path, "link": reverse(stock, args=["x"])}
    )


async def stock_later(request: HttpRequest, sku: str) -> JsonResponse:
    return JsonResponse({"stock": await inventory.stock(sku)})


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type="application/octet-stream")


urlpatterns = [
    path("stock/<str:sku>/", stock),
    path("later/<str:sku>/", stock_later),
    path("echo/", echo),
]

wsgi = get_wsgi_application()
asgi = get_asgi_application()
