"""Routes, requests, messages: what goes in and out."""

from __future__ import annotations

from pathlib import Path

from tests.unit.advisor.code_base import facts_of


def test_routes_of_the_usual_frameworks_are_found(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "dj.py": "from django.urls import path\nurlpatterns = [path('orders/', view)]\n",
            "fl.py": "@app.route('/pay', methods=['POST', 'PUT'])\ndef pay(): ...\n",
            "fa.py": "@router.get('/items/{id}')\nasync def item(): ...\n",
            "pi.py": "blueprint.add_url_rule('/ping', 'ping', alive)\n",
            "ah.py": "app.router.add_post('/in', handler)\n",
            "tests/test_x.py": "@mock.patch('/x')\ndef test_x(): ...\n",
            "mocks.py": "@mock.patch(NAME)\ndef x(): ...\n",
        },
    )
    assert {(one.place.path, one.method, one.path) for one in facts.routes} == {
        ("dj.py", "", "orders/"),
        ("fl.py", "POST", "/pay"),
        ("fl.py", "PUT", "/pay"),
        ("fa.py", "GET", "/items/{id}"),
        ("pi.py", "GET", "/ping"),
        ("ah.py", "POST", "/in"),
    }


def test_requests_name_their_url_or_the_setting_that_holds_it(tmp_path: Path) -> None:
    text = """\
        import httpx, requests
        requests.post("http://orders:8000/new")
        def ask(settings):
            with httpx.Client() as client:
                client.get(f"{settings.STOCK_URL}/sku/{sku}")
            {}.get("http://nobody")
        """
    facts = facts_of(tmp_path, {"a.py": text})
    assert [(one.place.line, one.method, one.target) for one in facts.requests] == [
        (2, "POST", "http://orders:8000/new"),
        (5, "GET", "{settings.STOCK_URL}/sku/{sku}"),
    ]


def test_addresses_are_followed_through_names_settings_and_clients(tmp_path: Path) -> None:
    text = """\
        import os
        import aiohttp, httpx, requests
        from flask import current_app
        ORDERS = os.environ.get("ORDERS_URL", "http://localhost:1")
        STOCK: str = "http://%s:%s" % (os.getenv("STOCK_HOST"), 80)
        session = requests.Session()
        def a():
            url = f"{ORDERS}/new"
            requests.post(url)
            session.get("{}/left".format(STOCK), timeout=1)
            requests.request("PUT", current_app.config["PAY_URI"] + "/pay")
        def b(ORDERS):
            requests.get(ORDERS)
            requests.get(os.environ["SHIP_URL"] or "http://ship")
        class Client:
            def get(self):
                return self.http.get("/late")
            def __init__(self, settings, http: httpx.Client):
                self.http = httpx.AsyncClient(base_url=settings.ORDERS_URL, timeout=3)
                self.base = "http://stock/api"
                self.given = http
            def other(self):
                self.given.get(self.base + "/left")
                self.cache.get("/no")
        async def c():
            async with aiohttp.ClientSession("http://pay") as http:
                async with http.post("/pay") as answer: ...
            httpx.Client(base_url="http://stock/").get("left")
        def d(url):
            {}.get(url)
        """
    facts = facts_of(tmp_path, {"a.py": text})
    assert [(one.place.line, one.method, one.target) for one in facts.requests] == [
        (9, "POST", "{ORDERS_URL}/new"),
        (10, "GET", "http://{STOCK_HOST}:{…}/left"),
        (11, "PUT", "{PAY_URI}/pay"),
        (13, "GET", "{ORDERS}"),
        (14, "GET", "{SHIP_URL}"),
        (17, "GET", "{settings.ORDERS_URL}/late"),
        (23, "GET", "http://stock/api/left"),
        (27, "POST", "http://pay/pay"),
        (28, "GET", "http://stock/left"),
    ]


def test_senders_and_receivers_of_a_task_or_signal_meet_under_one_name(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "mail/tasks.py": "@shared_task\ndef send(): ...\n",
            "mail/signals.py": "from django.dispatch import Signal\nsent = Signal()\n",
            "web.py": "from mail.tasks import send\nfrom mail.signals import sent\nsend.delay(1)\nsent.send(None)\n",
            "log.py": "from mail.signals import sent\n@receiver(sent)\ndef note(): ...\n",
            "k.py": "from kafka import KafkaProducer\nproducer.send('paid', b'')\n",
        },
    )
    assert {(one.place.path, one.name, one.sends, one.system) for one in facts.topics} == {
        ("mail/tasks.py", "mail.tasks.send", False, "celery"),
        ("web.py", "mail.tasks.send", True, "celery"),
        ("web.py", "mail.signals.sent", True, "django-signal"),
        ("log.py", "mail.signals.sent", False, "django-signal"),
        ("k.py", "paid", True, "kafka"),
    }


def test_a_parameter_that_only_passes_through_is_told_from_one_that_is_used(tmp_path: Path) -> None:
    text = """\
        from store import keep, Item
        def through(a, b):
            keep(a, b)
            return b
        def found(item):
            return Item.objects.get(id=item)
        """
    facts = facts_of(tmp_path, {"store.py": "def keep(a, b): ...\n", "middle.py": text})
    assert [(one.place.line, one.function, one.parameter, one.target) for one in facts.passes] == [
        (3, "through", "a", "store.py")
    ]
