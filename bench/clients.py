"""One client of a chat platform, sending the same text to the stub host again and again: a process for each.

`python -m bench.clients NAME THREADS URL` says that it is ready; then for each line on standard input, a number of
seconds, it sends for so long and prints calls a second and the processor time of a call in µs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from miniapp import OneChat

TEXT = "Your lunch is ready at the counter. " * 4
JID = "alice@onechat.net"
KEY = "key-0123456789abcdef"
TIMEOUTS = (3.0, 10.0)  # as ours has them by default

Send = Callable[[], object]


def urllib3_pool(url: str, threads: int) -> Send:
    """The limit: what requests stands on, given bytes and headers that were made beforehand."""
    import urllib3

    pool = urllib3.PoolManager(maxsize=threads, timeout=urllib3.Timeout(*TIMEOUTS), retries=False)
    headers = {"Content-Type": "application/json", "apikey": KEY}

    def send() -> None:
        body = json.dumps({"jid": JID, "message": TEXT}).encode()
        answer = pool.request("POST", f"{url}/singleMessage", body=body, headers=headers)
        assert answer.json()["status"] == "Success"

    return send


def requests_session(url: str, threads: int) -> Send:
    import requests

    session = requests.Session()
    session.headers["apikey"] = KEY

    def send() -> None:
        answer = session.post(f"{url}/singleMessage", json={"jid": JID, "message": TEXT}, timeout=TIMEOUTS)
        assert answer.json()["status"] == "Success"

    return send


def requests_tuned(url: str, threads: int) -> Send:
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.headers["apikey"] = KEY
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=threads))

    def send() -> None:
        answer = session.post(f"{url}/singleMessage", json={"jid": JID, "message": TEXT}, timeout=TIMEOUTS)
        assert answer.json()["status"] == "Success"

    return send


def miniapp(url: str) -> OneChat:
    from miniapp import OneChat, Settings
    from miniapp.settings import Secret

    return OneChat(Settings(api_url=url, app_id="app-0123456789", api_key=Secret(KEY)))


def ours(url: str, threads: int) -> Send:
    client = miniapp(url)
    return lambda: client.send_message(JID, TEXT)


def slack(url: str, threads: int) -> Send:
    from slack_sdk import WebClient

    client = WebClient(token=KEY, base_url=url)
    return lambda: client.chat_postMessage(channel="C0123456789", text=TEXT)


def line(url: str, threads: int) -> Send:
    from linebot.v3.messaging import ApiClient, Configuration, MessagingApi, PushMessageRequest, TextMessage

    api = MessagingApi(ApiClient(Configuration(host=url, access_token=KEY)))

    def send() -> object:
        message = TextMessage(text=TEXT, quickReply=None, quoteToken=None)
        return api.push_message(
            PushMessageRequest(
                to="U0123456789", messages=[message], notificationDisabled=False, customAggregationUnits=None
            )
        )

    return send


SUBJECTS = {
    "urllib3 pool": urllib3_pool,
    "requests.Session": requests_session,
    "requests.Session, tuned": requests_tuned,
    "miniapp": ours,
    "slack_sdk WebClient": slack,
    "line-bot-sdk": line,
}
TELEGRAM = "python-telegram-bot"


def during(seconds: float, send: Send, threads: int) -> int:
    """How many calls `threads` threads made."""
    counts = [0] * threads
    ends = time.perf_counter() + seconds

    def run(number: int) -> None:
        while time.perf_counter() < ends:
            send()
            counts[number] += 1

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts)


def telegram(url: str) -> Callable[[float, int], Coroutine[Any, Any, int]]:
    """As `during`; of python-telegram-bot, which is asyncio alone, threads are tasks of one loop."""
    from telegram import Bot

    bot = Bot("1:key", base_url=f"{url}/bot")  # not entered: that would ask who the bot is, and nothing more

    async def during(seconds: float, tasks: int) -> int:
        counts = [0] * tasks
        ends = time.perf_counter() + seconds

        async def run(number: int) -> None:
            while time.perf_counter() < ends:
                await bot.send_message(1, TEXT)
                counts[number] += 1

        await asyncio.gather(*(run(number) for number in range(tasks)))
        return sum(counts)

    return during


def serve(run: Callable[[float], int]) -> None:
    run(0.2)  # connections are open, and what is made at the first use is made
    print("ready", flush=True)
    for command in sys.stdin:
        began, spent = time.perf_counter(), time.process_time()
        count = run(float(command))
        print(count / (time.perf_counter() - began), (time.process_time() - spent) / count * 1e6, flush=True)


def main(name: str, threads: int, url: str) -> None:
    if name == TELEGRAM:
        send_all = telegram(url)
        with asyncio.Runner() as runner:
            serve(lambda seconds: runner.run(send_all(seconds, threads)))
    else:
        send = SUBJECTS[name](url, threads)
        serve(lambda seconds: during(seconds, send, threads))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
