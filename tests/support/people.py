"""The sandbox's seed: its users, groups and the address of its alerts."""

DOMAIN = "onechat.localhost"
ORIGIN = f"http://{DOMAIN}"
ALICE, BOB, CAROL, DAVE, ERIN, ADMIN = (
    f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol", "dave", "erin", "admin")
)
LUNCH = f"lunch-100200@muc.{DOMAIN}"
"""The group of Alice, Bob and Carol."""
OFFICE = f"office-300400@muc.{DOMAIN}"
"""The group of all users."""
SEEDED = {LUNCH, OFFICE}
ALERTS = f"alerts.{DOMAIN}"
