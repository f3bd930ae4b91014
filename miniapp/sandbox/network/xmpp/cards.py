"""vCards (XEP-0054) of mini apps, which write as `alerts.{domain}/{name of the app}`."""

from __future__ import annotations

import base64
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

import requests

VCARD = "vcard-temp"
ICON_SECONDS = 2.0  # of silence; apps that a developer has started answer in milliseconds
ICON_BYTES = 64 * 1024  # as a picture in a stanza, base64 and all, it must stay below the limits of servers


def card(name: str, icon: str) -> ET.Element:
    """Return the vCard of the app `name`, with the picture at the address `icon` if that can be had. Takes a while."""
    vcard = ET.Element(f"{{{VCARD}}}vCard")
    ET.SubElement(vcard, f"{{{VCARD}}}FN").text = name
    kind, data = _picture(icon)
    if kind.startswith("image/") and 0 < len(data) <= ICON_BYTES:
        photo = ET.SubElement(vcard, f"{{{VCARD}}}PHOTO")
        ET.SubElement(photo, f"{{{VCARD}}}TYPE").text = kind
        ET.SubElement(photo, f"{{{VCARD}}}BINVAL").text = base64.b64encode(data).decode()
    return vcard


def _picture(icon: str) -> tuple[str, bytes]:
    try:
        if icon.startswith("data:"):
            head, _, data = icon.removeprefix("data:").partition(",")
            kind, _, encoding = head.partition(";")
            return kind, base64.b64decode(data) if encoding == "base64" else unquote_to_bytes(data)
        with requests.get(icon, timeout=ICON_SECONDS, stream=True, allow_redirects=False) as answer:
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() if answer.ok else ""
            return kind, answer.raw.read(ICON_BYTES + 1, decode_content=True)
    except (requests.RequestException, OSError, ValueError):
        return "", b""
