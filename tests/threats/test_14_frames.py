"""14. A native bridge reaches every frame in the page."""

from support.apps import PAGE, create_app


def test_pages_may_not_frame_anything(onechat):
    """The policy forbids frames and plug-ins, on the 401 page and on the app's own."""
    client = create_app({**onechat.config, "ONECHAT_HEADERS": "app"}).test_client()
    for path in ("/", "/public"):
        policy = client.get(path, headers=PAGE).headers["Content-Security-Policy"]
        assert "frame-src 'none'" in policy
        assert "object-src 'none'" in policy
