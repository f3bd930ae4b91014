#!/usr/bin/env python3
"""Registers the mini app with OneChat and stores its app ID and API key in .env: `miniapp register`, as a script.

scripts/register_miniapp.py --name Lunch --url https://lunch.example --admin-jid 6581234567@onechat.net

The session ID is asked for, or read from standard input (--session-id-stdin) or from ONECHAT_SESSION_ID.
"""

import sys

from miniapp.cli import main

if __name__ == "__main__":
    main(["register", *sys.argv[1:]])
