"""How gunicorn runs the app; it reads this file by itself: `gunicorn wsgi:app`.

Put a proxy that buffers (nginx does) between gunicorn and the internet. Each thread serves one request from its first
byte to its last, so a few dozen clients that send slowly, by bad luck or on purpose, would hold every thread there is.
The proxy takes the whole request before it asks gunicorn. How: the deployment page of onechat-miniapp's documentation.
"""

import os

# Loopback, for a proxy on this machine; the Dockerfile sets 0.0.0.0.
bind = os.environ.get("BIND", "127.0.0.1:8000")

# Threads, since a request that waits for OneChat should not hold up the others. Processes, to use every core.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", min(os.cpu_count() or 1, 8)))  # beyond 8, mind the memory: ~50 MB each
threads = int(os.environ.get("WEB_THREADS", 8))

timeout = 30  # seconds that a process may be stuck as a whole, before another takes its place
graceful_timeout = 20  # seconds; a call to OneChat ends within 15 (ONECHAT_DEADLINE), so a restart cuts none off
keepalive = 75  # seconds; longer than a proxy keeps its connections (nginx: 60), so that it never uses one that closes

# The proxies whose X-Forwarded-Proto is believed. In a container the proxy has another address: name it, or "*" if
# nothing else can reach the port.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")

# Since 25.1, gunicorn opens a control socket in the home directory: one for all apps of a user, and an error where
# there is no home. Earlier versions ignore this line.
control_socket_disable = True

# Who, when, what, how it went, how long it took. No query (%(q)s), referer or cookie: those may hold what is private.
accesslog = "-"
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
