"""The relay to an XMPP server: our streams to it, what goes out on them and what comes in."""
