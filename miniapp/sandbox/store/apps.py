"""Registered mini apps and their keys. An API key is kept as a digest only."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from .records import App, AppStatus, NotFound, moment
from .secret import digest, new_api_key, new_app_id
from .tables import AppRow, Database


@dataclass(frozen=True, slots=True)
class Registered:
    """An app together with its new API key, which only this once is known."""

    app: App
    api_key: str

    def __repr__(self) -> str:
        return f"Registered({self.app!r}, '…')"


class Apps:
    """Mini apps by app ID."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._keys: list[tuple[bytes, App]] | None = None

    def all(self) -> list[App]:
        """Return every app, the oldest first."""
        with self._database.transaction() as t:
            return [_app(row) for row in t.scalars(select(AppRow).order_by(AppRow.created_at, AppRow.app_id))]

    def find(self, app_id: str) -> App | None:
        """Return the app `app_id`, or None."""
        with self._database.transaction() as t:
            row = t.get(AppRow, app_id)
            return _app(row) if row else None

    def get(self, app_id: str) -> App:
        """Return the app `app_id`. Raises `NotFound`."""
        with self._database.transaction() as t:
            return _app(_row(t, app_id))

    def by_key(self, api_key: str) -> App | None:
        """Return the app whose API key this is, or None."""
        given = digest(api_key)
        # Every key is compared, and in constant time: how long it takes says nothing about any of them.
        found = [app for key_digest, app in self._all_keys() if hmac.compare_digest(key_digest, given)]
        return found[0] if found else None

    def register(self, *, name: str, icon: str, url: str, admin: str, status: AppStatus) -> Registered:
        """Add an app with a new API key."""
        api_key = new_api_key()
        with self._database.transaction() as t:
            row = AppRow(
                app_id=new_app_id(),
                key_digest=digest(api_key),
                name=name,
                icon=icon,
                url=url,
                admin=admin,
                status=status,
                created_at=self._clock(),
            )
            t.add(row)
            self.forget_keys()
            return Registered(_app(row), api_key)

    def provide(self, app_id: str, api_key: str, *, name: str, icon: str, url: str, admin: str) -> App:
        """Have the app `app_id` approved, at `url` and with `api_key`. Name and icon of an existing app stay."""
        with self._database.transaction() as t:
            self.forget_keys()
            row = t.get(AppRow, app_id)
            if row is None:
                row = AppRow(app_id=app_id, name=name, icon=icon, admin=admin, created_at=self._clock())
                t.add(row)
            row.key_digest, row.url, row.status = digest(api_key), url, "approved"
            t.flush()
            return _app(row)

    def change(
        self,
        app_id: str,
        *,
        status: AppStatus | None = None,
        name: str | None = None,
        icon: str | None = None,
        url: str | None = None,
    ) -> App:
        """Change the app as given. Raises `NotFound`."""
        with self._database.transaction() as t:
            self.forget_keys()
            row = _row(t, app_id)
            for column, value in {"status": status, "name": name, "icon": icon, "url": url}.items():
                if value is not None:
                    setattr(row, column, value)
            return _app(row)

    def renew_key(self, app_id: str) -> Registered:
        """Give the app a new API key; the old one becomes invalid. Raises `NotFound`."""
        api_key = new_api_key()
        with self._database.transaction() as t:
            self.forget_keys()
            row = _row(t, app_id)
            row.key_digest = digest(api_key)
            return Registered(_app(row), api_key)

    def remove(self, app_id: str) -> None:
        """Delete the app and the sessions that were issued for it. Raises `NotFound`."""
        with self._database.transaction() as t:
            self.forget_keys()
            t.delete(_row(t, app_id))

    def forget_keys(self) -> None:
        """Read the keys anew: something about an app has changed. Within its transaction, or before anybody asks."""
        self._keys = None

    def _all_keys(self) -> list[tuple[bytes, App]]:
        """Every app with the digest of its key, from memory: each call of the REST API asks."""
        if (keys := self._keys) is None:
            with self._database.transaction() as t:  # one at a time, so what is read here is not older than a change
                self._keys = keys = [(row.key_digest, _app(row)) for row in t.scalars(select(AppRow))]
        return keys


def _row(t: Transaction, app_id: str) -> AppRow:
    row = t.get(AppRow, app_id)
    if row is None:
        raise NotFound("There is no such app.", hint="The admin portal lists the apps.")
    return row


def _app(row: AppRow) -> App:
    status = cast(AppStatus, row.status)
    return App(row.app_id, row.name, row.icon, row.url, row.admin, status, moment(row.created_at))
