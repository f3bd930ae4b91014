"""Between the store and the XMPP server: sends what is queued, records what comes in, keeps the phones' streams.

It lives in an event loop of its own, in a thread of its own. The store is the truth: a message is sent on from its
queue, in order, and leaves the queue once the server has surely dealt with it.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from ...store import Store
from ...store.records import Delivered, Group
from ...store.stanzas import SENDING, SETTLED, Outgoing
from .alerts import Alerts
from .bookmarks import Bookmarks
from .channel import Broken, Channel, Refused, log
from .client import Handlers, Phone
from .credentials import Credentials
from .inbound import Inbound
from .server import ServerSettings

BATCH = 100  # messages between two confirmations: little to look up after a break, little waiting without one
UNCONFIRMED = 2  # batches; one more can be written while one is confirmed, and under load they grow
PHONES_MAX = 100  # streams open at once, one for each phone in use; the longest unused makes room
PHONE_SECONDS = 10.0  # for a phone's login, before messages of others go first
POSTPONE_SECONDS = 5.0  # until a sender for whom it did not work is tried again
SIGN_SECONDS = 60.0  # a phone logs in with its password at once
CLOSE_SECONDS = 5.0  # for all streams to say goodbye

Result = TypeVar("Result")


class Streams:
    """The streams of one relay. All methods but those that say so are for the loop's own thread."""

    def __init__(
        self,
        settings: ServerSettings,
        store: Store,
        credentials: Credentials,
        hand_out: Callable[[Callable[[], list[Delivered]]], None],
        settle: Callable[[], Awaitable[object]],
        asked: Callable[[str], None],
        *,
        is_own: bool,
    ) -> None:
        """`asked` is called with a user for whom there are other invitations than before."""
        self._settings = settings
        self._is_own = is_own
        self._store = store
        self._credentials = credentials
        self._hand_out = hand_out
        self._settle = settle
        self._asked = asked
        self._since = int(store.stanzas.position("").since)  # stamps are in whole seconds
        self._calls = threading.Lock()
        self._ended = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="xmpp", daemon=True)
        self._phones: OrderedDict[str, Phone] = OrderedDict()
        self._postponed: set[str] = set()
        self._woken = False
        self._rewind = False  # whether the queue is to be read from its beginning
        self._confirming: set[asyncio.Task[None]] = set()
        self._removed: set[str] = set()  # whose streams are still to be ended
        self._provided: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._handlers = Handlers(
            inbound=self._take_inbound, invited=self._invited, position=store.stanzas.position, move=store.stanzas.move
        )

    # --- from other threads ---

    def start(self, seconds: float) -> str:
        """Connect; returns why it did not come about within `seconds`, or nothing. From any thread."""
        self._thread.start()
        return self.call(self._start(seconds)).result()

    def call(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Do `work` in the loop. Raises `Broken` once they were stopped. From any thread."""
        with self._calls:
            if self._ended:
                work.close()
                raise Broken("the relay has ended")
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wake(self) -> None:
        """There is something in the queue. From any thread."""
        if not self._woken:  # to wake a loop costs two system calls
            self._woken = True
            with suppress(RuntimeError):  # closed: it is sent when the network is started again
                self._loop.call_soon_threadsafe(self._wake)

    def stop(self) -> None:
        """Stop; nothing is written to the store or sent after it returns. From any other thread."""
        with self._calls:
            if self._ended:
                return
            self._ended = True
            stopped = asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
        with suppress(TimeoutError):
            stopped.result(CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        """Run the loop, and end what is left in it: here, since the caller's thread may have a loop of its own."""
        self._loop.run_forever()
        self._loop.run_until_complete(self._cancel_left())
        self._loop.close()

    @property
    def is_up(self) -> bool:
        """Whether the host is connected. From any thread."""
        return self._alerts.channel.up.is_set()

    def _wake(self) -> None:
        self._woken = False  # before anything is read, so whoever finds it set will be read
        self._work.set()

    # --- life ---

    async def _start(self, seconds: float) -> str:
        self._work = asyncio.Event()
        self._alerts = Alerts(
            self._settings,
            handlers=self._handlers,
            changed=self._group_changed,
            on_up=self._alerts_up,
            settle=self._settle,
            icon=lambda name: next((app.icon for app in self._store.apps.all() if app.name == name), ""),
        )
        self._bookmarks = Bookmarks(self._settings, self._alerts.channel, self._credentials, is_own=self._is_own)
        self._alerts.channel.open()
        self._do(self._send_all())
        try:
            await self._alerts.channel.ready(seconds)
        except Broken as error:
            return str(error)
        return ""

    async def clear(self, people: Iterable[str]) -> None:
        """Send nothing more, destroy every room, so that no client comes back to one, and end the streams of `people`.

        A server of our own knows rooms that we are not in yet, and ends streams when it is renewed.
        """
        await self._cancel_all()
        for jid in list(self._phones):
            await self.hang_up(jid)
        with suppress(Broken, Refused):
            await self._alerts.destroy_all(is_own=self._is_own)
        for jid in () if self._is_own else people:
            try:
                await self._alerts.end_streams(jid)
            except Refused as refused:
                log.info("The XMPP server does not end the streams of %s for a reset: %s", jid, refused)
            except Broken:
                break

    async def _cancel_all(self) -> None:
        tasks = self._tasks | set(self._provided.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _stop(self) -> None:
        await self._cancel_all()
        await asyncio.gather(self._alerts.close(), *(phone.close() for phone in self._phones.values()))

    async def _cancel_left(self) -> None:
        """Cancel the tasks of the streams themselves, and all others where the loop was too busy to stop in time."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- phones ---

    async def phone(self, jid: str, seconds: float = PHONE_SECONDS) -> Phone:
        """Return the phone of the user `jid`, logged in and caught up. Raises `Broken`."""
        phone = self._phones.get(jid)
        if phone is None:
            self._store.users.get(jid)
            phone = self._phones[jid] = Phone(
                self._settings,
                jid,
                name=lambda: self._store.users.get(jid).name,
                password=lambda: self._credentials.sign(jid, SIGN_SECONDS),
                groups=lambda: [group.jid for group in self._store.messages.groups(jid)],
                handlers=self._handlers,
            )
            phone.open()
            if len(self._phones) > PHONES_MAX:
                self._do(self._phones.popitem(last=False)[1].close())
        self._phones.move_to_end(jid)
        await phone.channel.ready(seconds)
        return phone

    async def hang_up(self, jid: str) -> None:
        """Close the phone of the user `jid`, if it is open."""
        if (phone := self._phones.pop(jid, None)) is not None:
            await phone.close()

    async def end_streams(self, jids: Iterable[str]) -> None:
        """Have the server end the streams of `jids`, who were removed; once it is there again, if it is not."""
        self._removed.update(jids)
        for jid in list(self._removed):
            await self.hang_up(jid)
            try:
                await self._alerts.end_streams(jid)
            except Broken:
                continue
            except Refused as refused:
                log.warning(
                    "%s was removed, but the XMPP server does not end open connections for us: %s", jid, refused
                )
            self._removed.discard(jid)

    async def rename(self, jid: str) -> None:
        """Tell the server the new name of the user `jid`, where it does not ask us for names."""
        if (phone := self._phones.get(jid)) is not None and phone.channel.up.is_set():
            with suppress(Broken):
                await phone.publish_name()

    # --- groups ---

    async def provide(self, group: Group, invited: Collection[str] = ()) -> None:
        """Have the room of `group` on the server, and those who are new in it invited."""
        before = self._provided.get(group.jid)
        self._provided[group.jid] = self._do(self._provide(group, invited, before))
        await asyncio.shield(self._provided[group.jid])

    async def expel(self, jid: str, rooms: Collection[str]) -> None:
        """Take the removed user `jid` out of `rooms`, with phone and bookmarks."""
        await self.hang_up(jid)
        for room in rooms:
            self._bookmarks.drop(jid, room)
        with suppress(Broken, Refused):  # it is put right when the room is provided the next time
            await self._alerts.expel(jid, list(rooms))

    async def _provide(self, group: Group, invited: Collection[str], before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self._alerts.provide(group, invited)
        except Refused as refused:
            log.error("The group %s can't be had on the XMPP server: %s", group.jid, refused)
            raise
        for member in group.members:
            self._bookmarks.keep(member, group.jid, group.name)
        self._do(self._bookmarks.run())
        for member in group.members:
            if (phone := self._phones.get(member)) is not None and phone.channel.up.is_set():
                with suppress(Broken):
                    await phone.join(group.jid)

    async def _alerts_up(self) -> None:
        self._provided.clear()
        for group in self._store.messages.groups():
            self._provided[group.jid] = self._do(self._provide(group, (), None))
        self._do(self._clear_up())
        self._do(self.end_streams(()))

    async def _clear_up(self) -> None:
        """Rooms of ours are awaited by those who write to them; here their failures are but taken note of."""
        await asyncio.gather(*self._provided.values(), return_exceptions=True)
        self._work.set()

    def _group_changed(self, room: str, group: Group | None) -> None:
        making = self._provided.get(room)
        if group is not None and making is not None and not making.done():  # members come in one after the other
            making.add_done_callback(lambda _: self._alerts.look_at(room))
            return
        before = self._store.messages.find_group(room)
        if group is None:
            self._store.messages.drop_group(room)
        else:
            group, asked = self._store.invitations.admit(group, self._alerts.present(room))
            news = (before is not None or bool(group.members)) and self._store.messages.adopt_group(group)
            for member in asked:
                self._asked(member)
            for member in group.members if news else ():
                if (phone := self._phones.get(member)) is not None and phone.channel.up.is_set():
                    self._do(phone.join(room))
        now = self._store.messages.find_group(room)
        if now is not None:
            for member in now.members:
                self._bookmarks.keep(member, room, now.name)
        for member in set(before.members if before else ()).difference(now.members if now else ()):
            self._bookmarks.drop(member, room)
        self._do(self._bookmarks.run())

    async def forget(self, groups: Iterable[Group]) -> None:
        """Take `groups`, which a reset has removed, out of their members' accounts."""
        for group in groups:
            for member in group.members:
                self._bookmarks.drop(member, group.jid)
        await self._bookmarks.run()

    def _invited(self, jid: str, room: str, by: str, at: float | None) -> None:
        if by == jid:  # sent by that user, and kept in the archive
            return
        if not room.endswith(f"@{self._settings.groups}") or (at is not None and at < self._since):
            return
        if room in [group.jid for group in self._store.messages.groups(jid)]:
            if (phone := self._phones.get(jid)) is not None:
                self._do(phone.join(room))
        elif joins := self._store.invitations.invite(jid, room, by, at):
            self._do(self._enter(jid, room))
        elif joins is not None:
            self._alerts.look_at(room)  # for its name
            self._asked(jid)

    async def _enter(self, jid: str, room: str) -> None:
        try:
            await self.enter(jid, room)
        except (Broken, Refused) as error:
            log.info("%s can't enter %s: %s", jid, room, error)

    async def enter(self, jid: str, room: str) -> None:
        """Have the user `jid` enter `room` for good, if it lets that user in. Raises `Refused` or `Broken`."""
        await (await self.phone(jid)).accept(room)
        await self._alerts.admit(room, jid)

    async def decline(self, jid: str, room: str, by: str) -> None:
        """Tell `by` that the user `jid` does not come. Raises `Broken`."""
        (await self.phone(jid)).decline(room, by)

    # --- what comes ---

    def _take_inbound(self, inbound: Inbound) -> None:
        if inbound.sender == self._settings.alerts:
            return  # only we are that
        if inbound.at is not None and inbound.at < self._since:
            return  # the server kept it for somebody who was offline, and a reset came between
        self._hand_out(
            lambda: self._store.messages.receive(
                inbound.kind,
                inbound.sender,
                inbound.to,
                inbound.text,
                owner=inbound.owner,
                archive_id=inbound.archive_id,
                stanza_id=inbound.stanza_id,
                at=inbound.at,
            )
        )

    # --- what goes ---

    async def _send_all(self) -> None:
        """Send what is in the queue, for ever. What has been written is not read again unless something broke."""
        after = 0
        while True:
            try:
                await self._alerts.channel.up.wait()
                if self._rewind:
                    if self._confirming:
                        await asyncio.wait(self._confirming)
                    self._rewind, after = False, 0
                self._work.clear()  # before the queue is read: what comes later sets it again
                rows = self._store.stanzas.waiting(BATCH, after=after, without=self._postponed)
                for sender, run in itertools.groupby(rows, key=lambda row: row.sender.jid):
                    await self._send_run(sender, list(run))
                if rows:
                    after = rows[-1].message_id
                if len(rows) < BATCH:
                    await self._work.wait()
            except Broken as error:
                log.info("Sending was broken off (%s); what is queued stays queued.", error)
                self._rewind = True
                await asyncio.sleep(0.05)  # the stream itself comes back after 0.1 s at the soonest
            except Exception:
                log.exception("Sending failed")
                self._rewind = True
                await asyncio.sleep(1.0)  # whatever it is, it must not keep the processor busy

    async def _send_run(self, sender: str, run: list[Outgoing]) -> None:
        """Send consecutive messages of one sender, the first of which may have been under way before."""
        try:
            phone = None if run[0].sender.is_host else await self.phone(sender)
            fresh = []
            for message in run:
                if message.state == SENDING and self._kind(message) != "broadcast" and await self._has_arrived(message):
                    self._store.stanzas.mark([message.message_id], SETTLED)
                else:
                    fresh.append(message)
        except Broken as error:
            if self.is_up:  # so it is about this sender, or those he writes to, alone
                self._postpone(sender, error)
            raise
        for kind, part in itertools.groupby(fresh, key=self._kind):
            messages = list(part)
            if kind == "broadcast":
                for message in messages:
                    await self._broadcast(message)
                continue
            self._store.stanzas.mark([message.message_id for message in messages], SENDING)
            if kind == "group":
                await self._write_groups(messages, phone)
                self._store.stanzas.mark([message.message_id for message in messages], SETTLED)
            else:
                await self._write_directs(messages, phone)

    def _kind(self, message: Outgoing) -> str:
        return "broadcast" if message.to == self._settings.domain else message.kind

    async def _write_directs(self, messages: list[Outgoing], phone: Phone | None) -> None:
        channel = phone.channel if phone else self._alerts.channel
        for message in messages:
            if phone:
                phone.send_direct(message)
            else:
                self._alerts.send(message.sender.name, message.to, message.text, message.stanza_id)
        while len(self._confirming) >= UNCONFIRMED:
            await asyncio.wait(self._confirming, return_when=asyncio.FIRST_COMPLETED)
        task = self._do(self._confirm(channel, [message.message_id for message in messages]))
        self._confirming.add(task)
        task.add_done_callback(self._confirming.discard)

    async def _confirm(self, channel: Channel, message_ids: list[int]) -> None:
        """Settle what was written to `channel`, once the server has surely dealt with it."""
        try:
            await channel.ping(self._settings.domain)
            self._store.stanzas.mark(message_ids, SETTLED)
        except Broken as error:
            log.info("What became of %d messages is not known (%s) and will be looked up.", len(message_ids), error)
            self._rewind = True
            self._work.set()

    async def _write_groups(self, messages: list[Outgoing], phone: Phone | None) -> None:
        for room in {message.to for message in messages}:
            await self._room_is_there(room)
        # Tasks start in the order in which they were made, and a stream keeps the order.
        outcomes = await asyncio.gather(
            *(
                (phone.rooms if phone else self._alerts.rooms(message.sender.name)).write(
                    message.to, message.text, message.stanza_id
                )
                for message in messages
            ),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                log.error("A message to a group was refused: %s", outcome)
            elif outcome is not None:
                raise outcome

    async def _room_is_there(self, room: str) -> None:
        if (task := self._provided.get(room)) is not None:
            with suppress(Refused):
                await asyncio.shield(task)

    async def _broadcast(self, message: Outgoing) -> None:
        """Send to one part of the users after the other, and note how far it went."""
        stanzas, upto, unsure = self._store.stanzas, message.upto, message.state == SENDING
        while jids := self._store.messages.recipients(message.message_id, upto, BATCH):
            upto = jids[-1]
            if unsure:
                jids = [jid for jid in jids if not await self._has_direct(jid, message)]
                unsure = False
            stanzas.mark([message.message_id], SENDING)
            for jid in jids:
                self._alerts.send(message.sender.name, jid, message.text, message.stanza_id)
            await self._alerts.channel.ping(self._settings.domain)
            stanzas.advance(message.message_id, upto)
        stanzas.mark([message.message_id], SETTLED)

    def _postpone(self, sender: str, reason: Broken) -> None:
        log.warning("Messages of %s have to wait (%s); those of others go first.", sender, reason)
        self._postponed.add(sender)

        def again() -> None:
            self._postponed.discard(sender)
            self._rewind = True
            self._work.set()

        asyncio.get_running_loop().call_later(POSTPONE_SECONDS, again)

    # --- what may have gone ---

    async def _has_arrived(self, message: Outgoing) -> bool:
        if message.kind == "group":
            await self._room_is_there(message.to)
            return await self._is_archived(self._alerts.channel, message.to, message, from_=self._alerts.occupant())
        return await self._has_direct(message.to, message)

    async def _has_direct(self, jid: str, message: Outgoing) -> bool:
        """Return whether the user `jid` has `message`, by that user's own archive.

        The author's says nothing: a server writes it first, and can be killed before it writes the other.
        """
        if self._store.users.find(jid) is None:
            return True  # nobody is there to get it any more
        phone = await self.phone(jid)
        author = self._settings.alerts if message.sender.is_host else message.sender.jid
        return await self._is_archived(phone.channel, "", message, with_=author)

    async def _is_archived(
        self, channel: Channel, owner: str, message: Outgoing, *, with_: str = "", from_: str = ""
    ) -> bool:
        start = datetime.fromtimestamp(message.at - 60, UTC)  # a minute for clocks that differ
        stamp = start.isoformat(timespec="seconds").replace("+00:00", "Z")
        with suppress(Refused):
            async for page in channel.archive(owner, start=stamp, with_=with_, from_=from_):
                if any(archived.message.get("id") == message.stanza_id for archived in page):
                    return True
        return False
