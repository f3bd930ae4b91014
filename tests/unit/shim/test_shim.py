"""The shim as Python makes and serves it. What it does in a page: tests/e2e/shim/."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess

import pytest
from flask import Blueprint, Flask

from miniapp import contract, shim
from miniapp.settings import Secret, Settings
from miniapp.shim.minify import minify
from support.node import ROOT, Node

SETTINGS = Settings(
    app_id="app-3f9c2b7e5d1a4860",
    api_key=Secret("key-canary-0123456789"),
    container_origins=("https://app.onechat.net", "http://onechat.localhost:8700"),
)
TEMPLATE = shim._template("oc.js.j2")
MAX_GZIP = 5 * 1024


@pytest.fixture
def made():
    return shim.render(SETTINGS)


@pytest.fixture(scope="module")
def node():
    with Node() as node:
        yield node


@pytest.fixture
def client(made):
    app = Flask(__name__)
    shim.register(app, made)
    return app.test_client()


def raw(settings=SETTINGS):
    """The script before it is made small."""
    return shim._source(settings.app_id, settings.container_origins, settings.login_lifetime, small=False)


def test_it_is_at_most_five_kilobytes_gzipped(made):
    """A page pays 5 KB at most for the bridge, on a server that compresses."""
    assert len(gzip.compress(made.source.encode(), 9)) <= MAX_GZIP


def test_it_is_made_once_for_equal_settings():
    """Rendering costs once per app, not once per request."""
    assert shim.render(SETTINGS) is shim.render(Settings(**vars(SETTINGS)))


def test_it_is_es2015_and_nothing_later(made, node):
    """A web view of iOS 11 can read every line of it."""
    assert "error" not in node(source=made.source)


def test_the_small_script_is_the_written_one(made, node):
    """Making it small changes local names and blanks, nothing else."""
    assert node(source=raw(), other=made.source)["names"] > 50


@pytest.mark.parametrize(
    "broken",
    [
        "((a, b) => { const c = a.x; c(b); })(window, document);",
        "((a, b) => { const c = b.y; c(b); })(window, document);",
        "((a, b) => { const b = a.y; b(b); })(window, document);",
        "((a, b) => { const c = a.y; c(b); c(); })(window, document);",
        "((a, b) => { const c = a.y; c(1); })(window, document);",
        "((a, b) => { const c = a.y; window(b); })(window, document);",
    ],
    ids=["property", "variable", "captured", "statement", "argument", "global"],
)
def test_the_comparison_sees_every_difference(broken, node):
    """The check of the small script fails for another property, variable, statement, argument or global."""
    written = "((w, d) => { const name = w.y; name(d); })(window, document);"
    same = "((a, b) => { const c = a.y; c(b); })(window, document);"
    assert node(source=written, other=same) == {"names": 3}
    assert "error" in node(source=written, other=broken)


def test_the_template_is_written_as_minify_wants_it():
    """No literal and no comment goes over the end of a line, and every value goes through tojson."""
    text = TEMPLATE
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
    assert "`" not in code
    assert "/*" not in code
    assert "'" not in code
    assert not re.search(r"\\$", code, re.MULTILINE)
    assert all(value.endswith("| tojson }}") for value in re.findall(r"\{\{.*?\}\}", code))


def test_minify_passes_over_strings_and_values():
    """Blanks and names stay as they are in strings and in Jinja's expressions."""
    code = (
        '((w) => {\n  // a name\n  const name = "a  name, (name) => {";\n  w.name = {{ name | tojson }} + name;\n})(1);'
    )
    assert re.fullmatch(
        r'\((\w)=>\{const (\w)="a  name, \(name\) => \{";\1\.name=\{\{ name \| tojson \}\}\+\2\}\)\(1\);\n',
        minify(code),
    )


def test_the_hash_and_the_integrity_are_of_the_source(made):
    """A browser takes exactly these bytes, and the URL changes with them."""
    digest = base64.b64encode(hashlib.sha384(made.source.encode()).digest()).decode()
    assert made.integrity == f"sha384-{digest}"
    assert hashlib.sha256(made.source.encode()).hexdigest().startswith(made.hash)
    assert made.hash != shim.render(Settings(app_id="another-app")).hash


def test_it_is_kept_for_good_by_its_own_hash_alone(client, made):
    """The URL with the hash may be cached for ever; any other is asked about again, with an ETag."""
    kept = client.get(made.url)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for url in ("/miniapp/oc.js", "/miniapp/oc.js?v=0000000000000000"):
        asked = client.get(url)
        assert asked.headers["Cache-Control"] == "no-cache"
        assert asked.data == kept.data == made.source.encode()
        assert client.get(url, headers={"If-None-Match": asked.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("path", "kind"), [("oc.js", "text/javascript; charset=utf-8"), ("oc.d.ts", "text/plain; charset=utf-8")]
)
def test_it_is_served_as_what_it_is_to_its_own_origin(path, kind, client):
    """Script and typings name their type, and no other site can load them."""
    answer = client.get(f"/miniapp/{path}")
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Set-Cookie" not in answer.headers


def test_the_routes_can_be_a_blueprints(made):
    """A blueprint takes the routes under a prefix of its own."""
    app = Flask(__name__)
    blueprint = Blueprint("bridge", __name__, url_prefix="/elsewhere")
    shim.register(blueprint, made, prefix="")
    app.register_blueprint(blueprint)
    assert app.test_client().get("/elsewhere/oc.js").data == made.source.encode()


def test_the_tag_names_the_script_its_integrity_and_the_page(made):
    """The tag has the hashed URL, integrity, nonce and the page's attributes, escaped."""
    tag = shim.script_tag(made, "n0nce", {"data-jid": '"><script>', "data-left": "30", "data-login": ""})
    assert tag == (
        f'<script src="/miniapp/oc.js?v={made.hash}" integrity="{made.integrity}" nonce="n0nce"'
        ' data-jid="&#34;&gt;&lt;script&gt;" data-left="30" data-login></script>'
    )
    assert "nonce" not in shim.script_tag(made)


def test_the_tag_follows_the_mount_point(made):
    """An app that is mounted below the root loads the script from there."""
    app = Flask(__name__)
    with app.test_request_context("/page", base_url="http://localhost/mounted"):
        assert ' src="/mounted/miniapp/oc.js?v=' in shim.script_tag(made)


@pytest.mark.parametrize("name", contract.BRIDGE)
def test_every_function_of_the_contract_is_in_script_and_typings(name, made):
    """The script's table and the typings have each documented function."""
    assert f'"{name}"' in made.source
    assert f" {name.split('.')[-1]}(" in made.typings


def test_the_typings_compile_and_refuse_what_is_wrong(made, tmp_path):
    """`tsc --strict` takes the documented calls and refuses wrong ones."""
    (tmp_path / "oc.d.ts").write_text(made.typings)
    shutil.copy(ROOT / "tests/unit/shim/typing.test-d.ts", tmp_path)
    compiler = ROOT / "js/node_modules/typescript-7/bin/tsc"
    options = [
        "--strict",
        "--noEmit",
        "--lib",
        "es2020,dom",
        "--types",
        "",
        "--moduleResolution",
        "bundler",
        "--module",
        "esnext",
    ]
    done = subprocess.run(
        ["node", compiler, *options, "oc.d.ts", "typing.test-d.ts"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_every_code_is_explained(made):
    """Each code of a failed call is in the typings and has a place in docs/bridge.md, where the hint points."""
    page = (ROOT / "docs/bridge.md").read_text()
    for code in shim.CODES:
        assert f'"{code}"' in made.typings
        assert f'id="{code}"' in page


def test_the_check_speaks_line_by_line():
    """The helper answers a broken script with its error and goes on."""
    with Node() as node:
        assert "SyntaxError" in node(source="a ? . b")["error"]
        assert "error" in node(source=json.dumps("no shim"))
