"""One stream to the XMPP server, as a client or as a component, that comes back by itself when it breaks.

slixmpp does the streams: XML, TLS, login. Stanzas are handled here as elements, alike for both kinds of stream.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from slixmpp import ClientXMPP, ComponentXMPP

from .server import Address

PING = "urn:xmpp:ping"
MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
FORMS = "jabber:x:data"
ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
OWN = ("jabber:client", "jabber:component:accept")  # one namespace with two names, by the kind of stream

REPLY_SECONDS = 10.0  # a server on this machine answers in 1 ms; under load it was seen to take 2 s
LOGIN_SECONDS = 10.0
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)  # pauses before connecting again; a server restarts in half a second
PAGE = 100  # messages of an archive at once; servers give between 50 and 250 at most

log = logging.getLogger("miniapp.sandbox.xmpp")


class Broken(Exception):
    """The stream broke off, or an answer did not come: what was sent may have arrived or not."""


class Refused(Exception):
    """The server said no. `condition` is XMPP's name of the reason."""

    def __init__(self, condition: str, text: str = "") -> None:
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Archived:
    """One message of an archive. `at` is the server's time of it, as ISO 8601."""

    archive_id: str
    at: str
    message: ET.Element


class Channel:
    """A stream that is kept up from `open()` to `close()`.

    `on_stanza` gets every message and presence; `on_up` runs after each login, and only then is the channel `up`.
    `password` is asked for before each login. `on_request` gets what is asked of us, and says whether it answers.
    """

    def __init__(
        self,
        stream: ClientXMPP | ComponentXMPP,
        address: Address,
        *,
        on_stanza: Callable[[ET.Element], None],
        on_up: Callable[[], Coroutine[Any, Any, None]],
        password: Callable[[], str] | None = None,
        on_request: Callable[[ET.Element], bool] = lambda _request: False,
    ) -> None:
        self.up = asyncio.Event()
        self.fault = ""
        """Why the last attempt failed, if it did."""
        self._stream = stream
        self._address = address
        self._on_stanza = on_stanza
        self._on_up = on_up
        self._password = password
        self._on_request = on_request
        self._answers: dict[str, asyncio.Future[ET.Element]] = {}
        self._results: dict[str, list[Archived]] = {}
        self._numbers = itertools.count(1)
        self._pauses = iter(RETRY_SECONDS)
        self._closed = False
        self._retry: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None
        stream.add_filter("in", self._take)
        stream.add_event_handler("session_start", self._started)
        stream.add_event_handler("connection_failed", self._down)
        stream.add_event_handler("disconnected", self._down)
        stream.add_event_handler("stream_error", self._stream_error)
        stream.add_event_handler("failed_all_auth", self._stream_error)

    @property
    def ns(self) -> str:
        """The namespace of the stream's own stanzas."""
        return str(self._stream.default_ns)

    @property
    def jid(self) -> str:
        """Our own full JID."""
        return str(self._stream.boundjid.full)

    def open(self) -> None:
        """Begin to connect, unless slixmpp's own new attempt was first: it would leave that connection open."""
        self._retry = None
        if self._stream.is_connected():
            return
        if self._password is not None and isinstance(self._stream, ClientXMPP):
            self._stream.password = self._password()
        self._stream.connect(*self._address)

    async def close(self) -> None:
        """Close the stream for good; returns once it is closed, after a second at most."""
        self._closed = True
        if self._retry:
            self._retry.cancel()
        if self._starting:
            self._starting.cancel()
        self._stream.cancel_connection_attempt()
        try:
            if self._stream.is_connected():
                await self._stream.disconnect(wait=1.0)
        finally:
            self._stream.abort()  # nothing is left to close unless we were cancelled
            if (sending := self._stream._run_out_filters) is not None:
                sending.cancel()  # slixmpp leaves this task to the garbage collector, which logs it as an error
            self._fail_answers()

    async def ready(self, seconds: float = LOGIN_SECONDS) -> None:
        """Wait until the channel is up. Raises `Broken`."""
        if not self.up.is_set():
            try:
                await asyncio.wait_for(self.up.wait(), seconds)
            except TimeoutError:
                raise Broken(self.fault or "no connection") from None

    # --- sending ---

    def new_id(self) -> str:
        """Return an ID for a stanza."""
        return f"oc-{next(self._numbers)}"

    def element(self, name: str, **attributes: str) -> ET.Element:
        """Return a stanza; `from_` and `type_` stand for what Python has words of its own for."""
        return ET.Element(
            f"{{{self.ns}}}{name}", {key.rstrip("_"): value for key, value in attributes.items() if value}
        )

    def send(self, stanza: ET.Element) -> None:
        """Send it. Raises `Broken` if the stream is down."""
        if not self._stream.is_connected():
            raise Broken("no connection")
        self._stream.send_xml(stanza)

    async def ask(
        self, kind: str, to: str, *payload: ET.Element, from_: str = "", seconds: float = REPLY_SECONDS
    ) -> ET.Element:
        """Return the answer to a request of `kind` (get or set). Raises `Refused` or `Broken`."""
        request = self.element("iq", id=self.new_id(), type_=kind, to=to, from_=from_ or self._component_jid())
        request.extend(payload)
        return await self.answer_to(request, seconds)

    async def answer_to(self, stanza: ET.Element, seconds: float = REPLY_SECONDS) -> ET.Element:
        """Send `stanza` and wait for what `settle` says to its ID. Raises `Refused` or `Broken`."""
        wait = self.expect(stanza.attrib["id"])
        self.send(stanza)
        return await self.outcome(stanza.attrib["id"], wait, seconds)

    def expect(self, stanza_id: str) -> asyncio.Future[ET.Element]:
        """Return a future of what `settle` will be told about `stanza_id`."""
        self._answers[stanza_id] = asyncio.get_running_loop().create_future()
        return self._answers[stanza_id]

    async def outcome(
        self, stanza_id: str, wait: asyncio.Future[ET.Element], seconds: float = REPLY_SECONDS
    ) -> ET.Element:
        """Return the answer that `wait` brings. Raises `Refused` or `Broken`."""
        try:
            answer = await asyncio.wait_for(wait, seconds)
        except TimeoutError:
            raise Broken("the server does not answer") from None
        finally:
            self._answers.pop(stanza_id, None)
        if answer.get("type") == "error":
            raise refusal(answer)
        return answer

    def settle(self, stanza_id: str, answer: ET.Element) -> bool:
        """`answer` is what came of the stanza with this ID. Says whether anybody waited for it."""
        wait = self._answers.get(stanza_id)
        if wait is None or wait.done():
            return False
        wait.set_result(answer)
        return True

    async def ping(self, to: str) -> None:
        """Return once the server has dealt with everything that was sent before. Raises `Broken`."""
        with suppress(Refused):  # an answer is an answer
            await self.ask("get", to, ET.Element(f"{{{PING}}}ping"))

    async def archive(
        self, owner: str, *, after: str | None = None, start: str = "", with_: str = "", from_: str = ""
    ) -> AsyncIterator[list[Archived]]:
        """Yield the archive of `owner` (XEP-0313), oldest first, a page at a time."""
        while True:
            query_id = self.new_id()
            query = ET.Element(f"{{{MAM}}}query", {"queryid": query_id})
            fields = {"FORM_TYPE": MAM, "start": "" if after else start, "with": with_}
            query.append(form({name: value for name, value in fields.items() if value}))
            page = ET.SubElement(query, f"{{{RSM}}}set")
            ET.SubElement(page, f"{{{RSM}}}max").text = str(PAGE)
            if after:
                ET.SubElement(page, f"{{{RSM}}}after").text = after
            found = self._results[query_id] = []
            try:
                answer = await self.ask("set", owner, query, from_=from_)
            finally:
                del self._results[query_id]
            if found:
                yield found
                after = found[-1].archive_id
            end = answer.find(f"{{{MAM}}}fin")
            if not found or end is None or end.get("complete") == "true":
                return

    # --- receiving ---

    def _take(self, stanza: Any) -> Any:
        element: ET.Element = stanza.xml
        name = local_name(element)
        if name == "iq":
            if element.get("type") in ("result", "error") and self.settle(element.get("id", ""), element):
                return None
            if element.get("type") == "get" and self._on_request(element):
                return None
        elif name in ("message", "presence"):
            if name == "message" and self._is_result(element):
                return None
            if element.get("type") == "error":
                self.settle(element.get("id", ""), element)
            try:
                self._on_stanza(element)
            except Exception:
                log.exception("a %s could not be dealt with", name)
            return None
        return stanza

    def _is_result(self, message: ET.Element) -> bool:
        result = message.find(f"{{{MAM}}}result")
        if result is None:
            return False
        forwarded = result.find("{urn:xmpp:forward:0}forwarded")
        page = self._results.get(result.get("queryid", ""))
        if page is not None and forwarded is not None:
            delay = forwarded.find("{urn:xmpp:delay}delay")
            inner = child(forwarded, "message")
            if inner is not None:
                page.append(Archived(result.get("id", ""), "" if delay is None else delay.get("stamp", ""), inner))
        return True

    def _component_jid(self) -> str:
        return self.jid if isinstance(self._stream, ComponentXMPP) else ""

    # --- up and down ---

    def _started(self, _event: Any) -> None:
        self._starting = asyncio.ensure_future(self._come_up())

    async def _come_up(self) -> None:
        try:
            await self._on_up()
        except (Broken, Refused) as error:
            self.fault = str(error)
            log.warning("%s: %s", self.jid, error)
            self._stream.abort()
            return
        except Exception:
            log.exception("%s could not be set up", self.jid)
            self._stream.abort()
            return
        self.fault, self._pauses = "", iter(RETRY_SECONDS)
        self.up.set()

    def _down(self, reason: Any) -> None:
        self.up.clear()
        self._fail_answers()
        if isinstance(reason, OSError):
            self.fault = reason.strerror or type(reason).__name__
        if not self._closed and self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(next(self._pauses, RETRY_SECONDS[-1]), self.open)

    def _stream_error(self, error: Any) -> None:
        condition = ""
        with suppress(Exception):
            condition = error["condition"]
        self.fault = condition or "not-authorized"
        if self._stream.is_connected():
            self._stream.abort()

    def _fail_answers(self) -> None:
        for wait in self._answers.values():
            if not wait.done():
                wait.set_exception(Broken("the connection broke off"))
                wait.exception()  # seen, should nobody wait any more
        self._answers.clear()


def client(jid: str, resource: str, tls: str) -> ClientXMPP:
    """Return a client's stream for the user `jid`, with TLS or, on this machine, without."""
    stream = ClientXMPP(
        f"{jid}/{resource}", "", plugin_config={"feature_mechanisms": {"unencrypted_plain": tls == "none"}}
    )
    stream.enable_direct_tls = False
    stream.enable_starttls = tls == "starttls"
    stream.enable_plaintext = tls == "none"
    return stream


def component(domain: str, secret: str) -> ComponentXMPP:
    """Return the stream of the component `domain`, which answers who it is."""
    stream = ComponentXMPP(domain, secret)  # type: ignore[no-untyped-call]
    stream.enable_direct_tls = False
    stream.auto_subscribe = False
    stream.register_plugin("xep_0030")
    stream.plugin["xep_0030"].add_identity(category="component", itype="generic", name="Alerts")
    return stream


# --- elements ---


def local_name(element: ET.Element) -> str:
    """Return the element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def child(element: ET.Element, name: str) -> ET.Element | None:
    """Return the child of XMPP's own namespace with this name."""
    return next((one for ns in OWN if (one := element.find(f"{{{ns}}}{name}")) is not None), None)


def text_of(element: ET.Element, name: str) -> str:
    """Return the text of the child with this name, or an empty text."""
    found = child(element, name)
    return (found.text or "") if found is not None else ""


def bare(jid: str | None) -> str:
    """Return the JID without its resource."""
    return (jid or "").partition("/")[0]


def form(fields: dict[str, str | list[str]] | dict[str, str]) -> ET.Element:
    """Return a filled-in form (XEP-0004)."""
    x = ET.Element(f"{{{FORMS}}}x", {"type": "submit"})
    for name, values in fields.items():
        one = ET.SubElement(x, f"{{{FORMS}}}field", {"var": name})
        if name == "FORM_TYPE":
            one.set("type", "hidden")
        for value in [values] if isinstance(values, str) else values:
            ET.SubElement(one, f"{{{FORMS}}}value").text = value
    return x


def refusal(stanza: ET.Element) -> Refused:
    """Return the error that `stanza` carries."""
    error = child(stanza, "error")
    condition, text = "undefined-condition", ""
    for one in error if error is not None else ():
        if one.tag == f"{{{ERRORS}}}text":
            text = one.text or ""
        elif one.tag.startswith(f"{{{ERRORS}}}"):
            condition = local_name(one)
    return Refused(condition, text)
