"""Login: the guard of views, the session endpoint, signed logins, and the verification of sessions."""
