"""Invitations to groups that are for the person to answer: a stranger puts no user into a group."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as Transaction

from .records import Group, Invitation, NotFound
from .tables import Database, GroupRow, InvitationRow, MemberRow, MessageRow, UserRow
from .users import user_row

CONTACTS_MAX = 200  # users among whom all are contacts, as in the rosters of mod_onechat_people


class Invitations:
    """Who is invited to which group by whom, with the answer, so that old invitations stay answered."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def pending(self, user: str) -> list[Invitation]:
        """Return the invitations that `user` has yet to answer, oldest first."""
        query = (
            select(InvitationRow, UserRow.name, GroupRow.name)
            .outerjoin(UserRow, UserRow.jid == InvitationRow.by)
            .outerjoin(GroupRow, GroupRow.jid == InvitationRow.group)
            .where(InvitationRow.jid == user, InvitationRow.answer == "")
            .order_by(InvitationRow.at)
        )
        with self._database.transaction() as t:
            user_row(t, user)
            return [
                Invitation(row.group, name or row.group.partition("@")[0], row.by, by or row.by)
                for row, by, name in t.execute(query)
            ]

    def invite(self, user: str, group: str, by: str, at: float | None = None) -> bool | None:
        """Note that `by` invites; says whether `user` joins at once, None if it is no newer than what is known."""
        at = self._clock() if at is None else at
        with self._database.transaction() as t:
            row = t.get(InvitationRow, (user, group))
            if t.get(UserRow, user) is None or (row is not None and row.at >= at):
                return None
            trusted = _are_contacts(t, user, by)
            t.merge(InvitationRow(jid=user, group=group, by=by, at=at, answer="yes" if trusted else ""))
            return trusted

    def answer(self, user: str, group: str, *, accept: bool) -> Invitation:
        """Note the answer. Raises `NotFound` if there is nothing to answer."""
        with self._database.transaction() as t:
            found = next((one for one in self.pending(user) if one.group == group), None)
            if found is None:
                raise NotFound("There is no such invitation.", hint="It may have been answered on another phone.")
            row = t.get_one(InvitationRow, (user, group))
            row.answer, row.at = "yes" if accept else "no", self._clock()
            return found

    def admit(self, group: Group, present: Collection[str]) -> tuple[Group, list[str]]:
        """Return `group` without the members who have yet to agree to it, and those of them who are asked just now.

        Who is in it already, who came by another client, and whom a contact made a member are in it at once.
        """
        asked, admitted = [], []
        with self._database.transaction() as t:
            already = set(t.scalars(select(MemberRow.jid).where(MemberRow.group == group.jid)))
            for jid in group.members:
                row = t.get(InvitationRow, (jid, group.jid))
                answer = row.answer if row is not None else None
                if jid in already or jid in present or jid == group.owner or answer == "yes":
                    admitted.append(jid)
                    t.execute(delete(InvitationRow).where(InvitationRow.jid == jid, InvitationRow.group == group.jid))
                elif answer is None and t.get(UserRow, jid) is not None:
                    if self.invite(jid, group.jid, group.owner, 0.0):  # what is sent for it tells more
                        admitted.append(jid)
                    else:
                        asked.append(jid)
        return replace(group, members=tuple(admitted)), asked


def _are_contacts(t: Transaction, user: str, other: str) -> bool:
    """Say whether `user` has `other` among the contacts: everybody, or among many users whom one has written to."""
    if t.get(UserRow, other) is None:
        return "@" not in other  # the host
    if (t.scalar(select(func.count()).select_from(UserRow)) or 0) <= CONTACTS_MAX:
        return True
    written = select(MessageRow.id).where(MessageRow.sender == user, MessageRow.to == other).limit(1)
    return t.scalar(written) is not None
