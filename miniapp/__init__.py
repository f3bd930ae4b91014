"""Flask framework and starter for mini apps inside the OneChat super app."""

__version__ = "0.1.0"
