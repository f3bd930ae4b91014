"""Who and what the sandbox begins with: its users, groups and the address of its alerts."""

DOMAIN = "onechat.localhost"
ORIGIN = f"http://{DOMAIN}"
ALICE, BOB, CAROL, DAVE, ERIN, ADMIN = (
    f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol", "dave", "erin", "admin")
)
LUNCH = f"lunch-100200@muc.{DOMAIN}"
"""A group of Alice, Bob and Carol."""
OFFICE = f"office-300400@muc.{DOMAIN}"
"""A group of everybody."""
SEEDED = {LUNCH, OFFICE}
ALERTS = f"alerts.{DOMAIN}"
