"""The sandbox is an extra: nothing else needs it, and it says what it needs."""

from __future__ import annotations

import subprocess
import sys


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_miniapp_does_not_import_the_sandbox() -> None:
    """A mini app in production loads neither the sandbox nor its database library."""
    assert python("import miniapp, sys; print([m for m in sys.modules if 'sandbox' in m or 'sqlalchemy' in m])") == "[]"


def test_without_the_extra_it_says_what_to_install() -> None:
    """The error names the extra."""
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\ntry: import miniapp.sandbox\nexcept ImportError as e: print(e)"
    )
    assert "pip install 'onechat-miniapp[sandbox]'" in python(code)


def test_the_public_names() -> None:
    """What others may import from the sandbox."""
    import miniapp.sandbox

    assert miniapp.sandbox.__all__ == sorted(miniapp.sandbox.__all__)
    assert set(miniapp.sandbox.__all__) == {
        "HOST_NAME",
        "Options",
        "Sandbox",
        "SandboxConfig",
        "SandboxServer",
        "create_sandbox",
        "sandbox_of",
    }
