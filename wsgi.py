"""The starter mini app."""
