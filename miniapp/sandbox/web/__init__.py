"""The sandbox over HTTP: the REST API, the controls, the phones and the portal, on Flask."""
