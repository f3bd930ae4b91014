"""The client of OneChat's REST API."""
