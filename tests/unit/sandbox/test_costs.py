"""What a request costs follows what it shows, not how many users and messages there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from miniapp.sandbox import sandbox_of
from miniapp.sandbox.store import Store
from miniapp.sandbox.store.tables import driver_of
from support.people import ADMIN, ALICE, BOB, LUNCH, ORIGIN
from support.sandbox import Caller

MANY = 300  # of users and messages: more than any page shows
APP = "app-1"
LARGE = ("users", "messages", "deliveries", "sessions", "members")
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "state": ("GET", "/phones/state?user=alice&user=bob", None),
    "named": ("GET", f"/phones/users?jid={BOB}&jid={ADMIN}", None),
    "contacts": ("GET", f"/phones/{ALICE}/contacts", None),
    "threads": ("GET", f"/phones/{ALICE}/threads", None),
    "groups": ("GET", f"/phones/{ALICE}/groups", None),
    "history": ("GET", f"/phones/{ALICE}/messages?limit=5", None),
    "thread": ("GET", f"/phones/{ALICE}/messages?limit=5&thread={BOB}&before=1000", None),
    "message": ("POST", f"/phones/{ALICE}/messages", {"thread": BOB, "text": "hello"}),
    "read": ("POST", f"/phones/{ALICE}/read", {"thread": BOB}),
    "relay": ("POST", f"/phones/{ALICE}/relay", {"recipient": [BOB], "textMessage": "hello"}),
    "check": ("POST", f"/phones/{ALICE}/relay/check", {"recipient": [BOB], "textMessage": "hello"}),
    "check group": ("POST", f"/phones/{ALICE}/relay/check", {"groupJid": LUNCH, "textMessage": "hello"}),
    "launch": ("POST", f"/phones/{ALICE}/launch", {"appId": APP}),
    "portal": ("GET", "/portal/", None),
    "portal users": ("GET", "/portal/users", None),
    "portal users, last page": ("GET", "/portal/users?page=1000", None),
    "portal groups": ("GET", "/portal/groups", None),
    "portal sessions": ("GET", "/portal/sessions", None),
    "portal sent": ("GET", "/portal/sent?call=massBroadcast", None),
}


class Costs:
    """The statements that a sandbox's database runs."""

    def __init__(self, app: Flask) -> None:
        self.store = sandbox_of(app).store
        self.call = Caller(app)
        self._driver = driver_of(self.store._database._connection)
        self.store.apps.provide(APP, "key-1", name="Lunch", icon=ORIGIN, url=ORIGIN, admin=ADMIN)

    def grow(self) -> None:
        """Add many users, who all wrote to Alice, and many sessions."""
        for number in range(MANY):
            user = self.store.users.add(f"Zoe {number:04}")
            self.store.sessions.issue(user.jid, None, 60)
            self.call.post(f"/phones/{BOB}/messages", {"thread": ALICE, "text": f"note {number}"})

    def of(self, request: tuple[str, str, Any]) -> tuple[list[str], int]:
        """The statements of a request, and the bytes of its answer."""
        statements: list[str] = []
        self._driver.set_trace_callback(statements.append)
        try:
            answer = self.call(*request)
        finally:
            self._driver.set_trace_callback(None)
        assert answer.status_code in (200, 204), answer.text
        return statements, len(answer.data)

    def scanned(self, statement: str) -> list[str]:
        """The steps of a statement that read all of a large table, or more of it than its limit."""
        if not statement.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
            return []
        steps = [row[3] for row in self._driver.execute(f"EXPLAIN QUERY PLAN {statement}")]
        if "LIMIT" in statement:  # a scan ends with it, unless all that is found has to be sorted first
            return [step for step in steps if "ORDER BY" in step and any(table in statement for table in LARGE)]
        return [step for table in LARGE for step in steps if step.startswith(f"SCAN {table}") and "INDEX" not in step]


@pytest.fixture
def costs(make: Callable[..., Flask]) -> Costs:
    return Costs(make())


def test_no_request_costs_more_where_there_are_many_users_and_messages(costs: Costs) -> None:
    """The number of statements stays, and the answers grow to one page at most."""
    for name in REQUESTS:  # once for what is made at the first time
        costs.of(REQUESTS[name])
    before = {name: costs.of(request) for name, request in REQUESTS.items()}
    costs.grow()
    after = {name: costs.of(request) for name, request in REQUESTS.items()}
    assert {name: len(statements) for name, (statements, _) in after.items()} == {
        name: len(statements) for name, (statements, _) in before.items()
    }
    page = {"portal users": 2200 * 50, "portal sessions": 2500 * 200, "state": 400 * 100}  # bytes an entry
    large = {name: size for name, (_, size) in after.items() if size > page.get(name, 30_000)}
    assert large.keys() <= {"portal users, last page"}


@pytest.mark.parametrize("name", REQUESTS)
def test_no_request_reads_a_whole_table(costs: Costs, name: str) -> None:
    """SQLite finds what is shown by an index, already in order."""
    statements, _ = costs.of(REQUESTS[name])
    assert {statement: steps for statement in statements if (steps := costs.scanned(statement))} == {}


def test_users_are_found_by_parts_of_name_and_jid_whatever_the_case() -> None:
    """Each word must be a part, in any order; letters beyond ASCII too."""
    store = Store(domain="onechat.localhost")
    store.users.add("Zoë Ärmel", "zoe@onechat.localhost")
    for search, found in {"ZOË": 1, "ärm zoe@": 1, "ARMEL": 0, "%": 0, "tan": 1, "": 7, "  ": 7}.items():
        assert (len(store.users.page(search, limit=10)), store.users.count(search)) == (found, found), search
    store.close()


def test_a_phone_far_down_the_list_is_among_the_users_that_its_page_gets(costs: Costs) -> None:
    """By local part or JID; who does not exist is left out."""
    costs.grow()
    last = f"zoe.{MANY - 1:04}@onechat.localhost"
    for name in (last, last.partition("@")[0]):
        state = costs.call.get(f"/phones/state?user={name}&user=nobody")
        assert [user["jid"] for user in state["users"]].count(last) == 1
        assert (len(state["users"]), state["userCount"]) == (101, MANY + 6)


def test_the_portal_pages_its_users_and_finds_them(costs: Costs) -> None:
    """Fifty on a page, with a way to the next and the previous one; a search narrows them down."""
    costs.grow()
    first, second = (costs.call("GET", f"/portal/users?page={number}").text for number in (1, 2))
    assert first.count('data-testid="user"') == second.count('data-testid="user"') == 50
    assert (first.count('rel="prev"'), first.count('rel="next"')) == (0, 1)
    assert (second.count('rel="prev"'), second.count('rel="next"')) == (1, 1)
    found = costs.call("GET", "/portal/users?search=zoe+0299").text
    assert found.count('data-testid="user"') == 1
    assert "zoe.0299@onechat.localhost" in found
    assert "Page" not in found
    beyond = costs.call("GET", "/portal/users?page=999").text
    assert "zoe.0299@onechat.localhost" in beyond
