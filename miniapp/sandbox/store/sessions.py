"""Sessions: issued, checked, ended. A session ID is kept as a digest only."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select

from .records import NotFound, Session, SessionState, moment
from .secret import digest, handle, new_session_id
from .tables import AppRow, Database, SessionRow
from .users import user_row

_KEEP = 7 * 24 * 3600  # seconds that an ended session stays to be looked at in the portal


@dataclass(frozen=True, slots=True)
class Issued:
    """A new session together with its ID, which only this once is known."""

    session: Session
    session_id: str

    def __repr__(self) -> str:
        return f"Issued({self.session!r}, '…')"


class Sessions:
    """Sessions of users."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def issue(self, jid: str, app_id: str | None, lifetime: float) -> Issued:
        """Start a session that lasts `lifetime` seconds. Raises `NotFound` for an unknown user or app."""
        session_id, now = new_session_id(), self._clock()
        with self._database.transaction() as t:
            user_row(t, jid)
            if app_id is not None and t.get(AppRow, app_id) is None:
                raise NotFound("There is no such app.", hint="The admin portal lists the apps.")
            t.execute(delete(SessionRow).where(SessionRow.expires_at < now - _KEEP))
            row = SessionRow(
                handle=handle(session_id),
                digest=digest(session_id),
                jid=jid,
                app_id=app_id,
                created_at=now,
                expires_at=now + lifetime,
            )
            t.add(row)
            t.flush()
            return Issued(self._session(row), session_id)

    def check(self, jid: str, session_id: str) -> Session | None:
        """Return the active session of `jid` that has this ID, or None."""
        given = digest(session_id)
        query = select(SessionRow).where(SessionRow.handle == handle(session_id), SessionRow.jid == jid)
        with self._database.transaction() as t:
            for row in t.scalars(query):
                if hmac.compare_digest(row.digest, given):
                    session = self._session(row)
                    return session if session.state == "active" else None
        return None

    def all(self, limit: int | None = None) -> list[Session]:
        """Every session, or the last `limit`, newest first."""
        query = select(SessionRow).order_by(SessionRow.id.desc()).limit(limit)
        with self._database.transaction() as t:
            return [self._session(row) for row in t.scalars(query)]

    def expire(self, **which: int | str | None) -> list[Session]:
        """End the active sessions that match as if their time had come, and return them."""
        return self._end("expired", which)

    def revoke(self, **which: int | str | None) -> list[Session]:
        """End the active sessions that match as if the host had withdrawn them, and return them."""
        return self._end("revoked", which)

    def _end(self, state: SessionState, which: dict[str, int | str | None]) -> list[Session]:
        columns: dict[str, ColumnElement[bool]] = {
            name: getattr(SessionRow, name) == value for name, value in which.items() if value is not None
        }
        with self._database.transaction() as t:
            rows = t.scalars(select(SessionRow).where(*columns.values())).all()
            active = [row for row in rows if self._session(row).state == "active"]
            for row in active:
                if state == "revoked":
                    row.revoked = True
                else:
                    row.expires_at = self._clock()
            return [self._session(row) for row in active]

    def _session(self, row: SessionRow) -> Session:
        state: SessionState = "active"
        if row.revoked:
            state = "revoked"
        elif row.expires_at <= self._clock():
            state = "expired"
        return Session(row.id, row.jid, row.app_id, moment(row.created_at), moment(row.expires_at), state)
