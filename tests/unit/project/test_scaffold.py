"""A project made by `project.new.create`: its files, what it refuses, and that it works as it stands."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest
import requests
from dotenv import dotenv_values

from miniapp.errors import ScaffoldError
from miniapp.project import new as scaffold
from support.paths import ROOT
from support.servers import gunicorn, gunicorn_process

pytestmark = pytest.mark.slow

ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
"""For child processes: none of the developer's settings, and nothing left in the tree."""


@pytest.fixture
def project(tmp_path):
    """A project with every default."""
    scaffold.create(tmp_path / "lunch-club", {})
    return tmp_path / "lunch-club"


def files(directory):
    """The paths of all files below `directory`, relative to it."""
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def test_a_project_is_the_starter_and_what_runs_it(tmp_path):
    """The starter's files are copied byte by byte; the rest is made beside them; all paths are returned."""
    made = scaffold.create(tmp_path / "lunch-club", {})
    project = tmp_path / "lunch-club"
    starter = {"wsgi.py", "tests/test_starter.py"}
    starter |= {
        path.relative_to(ROOT).as_posix() for part in ("templates", "static") for path in (ROOT / part).iterdir()
    }
    assert files(project) == starter | set(scaffold.FILES)
    assert {path.relative_to(project).as_posix() for path in made} == files(project)
    for name in starter:
        assert (project / name).read_bytes() == (ROOT / name).read_bytes()
    assert list(tmp_path.iterdir()) == [project]


def test_the_answers_are_in_the_project(tmp_path):
    """Name, URL and domain end up in the settings, and the name in the project file and the README."""
    answers = {"name": "Bob's soup & co", "public_url": "https://soup.example/", "domain": "Chat.Example"}
    scaffold.create(tmp_path / "soup", answers)
    settings = dotenv_values(tmp_path / "soup/.env")
    assert settings["APP_NAME"] == "Bob's soup & co"
    assert settings["ONECHAT_PUBLIC_URL"] == "https://soup.example"
    assert settings["ONECHAT_DOMAIN"] == "chat.example"
    assert (tmp_path / "soup/README.md").read_text().startswith("# Bob's soup & co\n")
    assert tomllib.loads((tmp_path / "soup/pyproject.toml").read_text())["project"]["name"] == "mini-app-soup"


def test_defaults_make_sense(project):
    """Without answers the app is called as its directory, and is for OneChat's own domain."""
    settings = dotenv_values(project / ".env")
    assert settings["APP_NAME"] == "Lunch club"
    assert settings["ONECHAT_DOMAIN"] == "onechat.net"
    assert settings["ONECHAT_API_KEY"] == ""


def test_each_project_has_a_secret_of_its_own(tmp_path):
    """Each project gets a new SECRET_KEY, a long one."""
    keys = set()
    for name in ("one", "two"):
        scaffold.create(tmp_path / name, {})
        keys.add(dotenv_values(tmp_path / name / ".env")["SECRET_KEY"])
    assert len(keys) == 2
    assert min(map(len, keys)) >= 43  # 256 bits in base64


def test_secrets_are_their_owners_from_the_start(tmp_path, monkeypatch):
    """`.env` is 0600 when it comes into being, whatever the umask; other files are as the umask has them."""
    at_birth = {}
    real_open = os.open

    def watched_open(path, *arguments, **options):
        descriptor = real_open(path, *arguments, **options)
        at_birth[Path(path).name] = stat.S_IMODE(os.fstat(descriptor).st_mode)
        return descriptor

    monkeypatch.setattr(os, "open", watched_open)
    before = os.umask(0)
    try:
        scaffold.create(tmp_path / "lunch", {})
    finally:
        os.umask(before)
    assert at_birth[".env"] == 0o600
    assert at_birth["wsgi.py"] == 0o666
    assert stat.S_IMODE((tmp_path / "lunch/.env").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("name", ""),
        ("name", 'a"b'),
        ("name", "a\\b"),
        ("name", "$(id)"),
        ("name", "a#b"),
        ("name", "a\0b"),
        ("name", "x" * 65),
        ("public_url", "http://lunch.example"),
        ("public_url", "javascript:alert(1)"),
        ("public_url", "https://a b/"),
        ("domain", "alice@onechat.net"),
        ("domain", "one chat"),
        ("nonsense", "x"),
    ],
)
def test_bad_answers_are_refused(tmp_path, key, text):
    """An answer that would not do is refused with a hint, and nothing is made."""
    with pytest.raises(ScaffoldError) as caught:
        scaffold.create(tmp_path / "lunch", {key: text})
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_questions_are_few_and_have_defaults_that_pass():
    """There are three questions at most, and each accepts its own default."""
    assert len(scaffold.QUESTIONS) <= 3
    for question in scaffold.QUESTIONS:
        assert question.flag.startswith("--")
        assert question.check(question.default(Path("lunch_club"))) == question.default(Path("lunch_club"))


def test_an_empty_directory_will_do(tmp_path):
    """A directory that is there already, and empty, becomes the project and stays the same directory."""
    project = tmp_path / "lunch"
    project.mkdir()
    inode = project.stat().st_ino
    scaffold.create(project, {})
    assert (project / "wsgi.py").is_file()
    assert project.stat().st_ino == inode  # a shell in it would be lost otherwise
    assert list(tmp_path.iterdir()) == [project]


def test_a_directory_with_files_is_refused(tmp_path):
    """A directory that has something in it is left alone."""
    (tmp_path / "lunch").mkdir()
    (tmp_path / "lunch/notes").write_text("mine")
    with pytest.raises(ScaffoldError, match="not empty"):
        scaffold.create(tmp_path / "lunch", {})
    assert files(tmp_path) == {"lunch/notes"}


def test_force_adds_and_never_overwrites(tmp_path):
    """With force the files that are there stay, `.env` and its keys among them; only missing ones are added."""
    project = tmp_path / "lunch"
    project.mkdir()
    (project / ".env").write_text("SECRET_KEY=mine\n")
    (project / "README.md").write_text("mine")
    made = scaffold.create(project, {}, force=True)
    assert (project / ".env").read_text() == "SECRET_KEY=mine\n"
    assert (project / "README.md").read_text() == "mine"
    assert {path.relative_to(project).as_posix() for path in made} == files(project) - {".env", "README.md"}


@pytest.mark.parametrize("there", [False, True])
def test_all_or_nothing(tmp_path, monkeypatch, there):
    """If a file can't be written, none is left behind: neither in a new directory nor in one that was there."""
    project = tmp_path / "lunch"
    if there:
        project.mkdir()
    real_open = os.open

    def full_disk(path, *arguments, **options):
        if Path(path).name == "wsgi.py" and (not there or Path(path).parent == project):
            raise OSError(28, "No space left on device")
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(os, "open", full_disk)
    with pytest.raises(OSError, match="No space"):
        scaffold.create(project, {})
    assert list(tmp_path.rglob("*")) == ([project] if there else [])


def test_wsgi_imports_miniapp_and_flask_alone():
    """The starter needs nothing beyond the standard library, Flask and miniapp."""
    imported = set()
    for node in ast.walk(ast.parse((ROOT / "wsgi.py").read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"flask", "miniapp"}


def test_a_projects_own_tests_pass(project):
    """The tests of a new project pass as it stands, on its own files."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd=project, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)
    assert "skipped" not in done.stdout


def test_gunicorn_serves_a_project_and_logs_no_query(project):
    """`gunicorn wsgi:app` takes its settings from `.env`, serves the app, and keeps query strings out of its log."""
    environment = {**ENVIRONMENT, "BIND": "127.0.0.1:0", "WEB_CONCURRENCY": "1"}
    env_file = project / ".env"
    keys = "ONECHAT_APP_ID=app-12345678\nONECHAT_API_KEY=key-12345678\n"
    env_file.write_text(re.sub(r"ONECHAT_(APP_ID|API_KEY)=\n", "", env_file.read_text()) + keys)
    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        url = ""
        while not url:
            line = gunicorn.stdout.readline()
            assert line, "gunicorn ended"
            found = re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", line)
            url = found[1] if found else ""
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(f"{url}/healthz", timeout=30).status_code == 200
            page = session.get(f"{url}/?canary", headers={"Accept": "text/html"}, timeout=30)
            assert page.status_code == 401
            assert "data-login" in page.text
    finally:
        gunicorn.send_signal(signal.SIGTERM)
        log, _ = gunicorn.communicate(timeout=30)
    assert '"GET /" 401' in log
    assert "canary" not in log


KEYS = "ONECHAT_APP_ID=app-12345678\nONECHAT_API_KEY='key-${HOME}-1'\nAPP_NAME=Brunch\nADMIN_JIDS=boss@onechat.net\n"
LOOK = """import wsgi, flask
app = vars(wsgi)["app"]
assert app is vars(wsgi)["application"] and isinstance(app, flask.Flask)
print(app.config["APP_NAME"], app.config["ADMINS"], app.extensions["miniapp"].client.settings.api_key)
"""


@pytest.mark.parametrize("program", [["-c", LOOK], ["-m", "flask", "--app", "wsgi", "look"]], ids=["server", "flask"])
def test_every_kind_of_server_finds_the_app(project, program):
    """`app` and `application` stand in the module, as uWSGI and mod_wsgi want it, with what `.env` sets.

    `flask` has read `.env` before, and put a value with `${…}` into the environment in another form.
    """
    env_file, module = project / ".env", project / "wsgi.py"
    env_file.write_text(re.sub(r"ONECHAT_(APP_ID|API_KEY)=\n", "", env_file.read_text()) + KEYS)
    look = "\n    ".join(LOOK.splitlines())
    module.write_text(f"{module.read_text()}\n\n@app.cli.command()\ndef look():\n    {look}\n")
    done = subprocess.run([sys.executable, *program], cwd=project, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stdout.split() == ["Brunch", "{'boss@onechat.net'}", "key-${HOME}-1"], done.stderr


def test_without_settings_create_app_can_be_imported_and_app_says_why_not(project):
    """Before `miniapp register`, tests import `create_app`; a server that asks for the app hears what is missing."""
    look = "from wsgi import create_app\nimport wsgi\nassert 'app' not in vars(wsgi)\nwsgi.app"
    done = subprocess.run([sys.executable, "-c", look], cwd=project, env=ENVIRONMENT, capture_output=True, text=True)
    assert "ConfigurationError" in done.stderr
    assert "ONECHAT_APP_ID: is not set." in done.stderr


MODELS = """
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
migrate = Migrate()


class Meal(db.Model):
    id = db.Column(db.Integer, primary_key=True)
"""
IMPORTS = "from kitchen import OPEN\nfrom models import db, migrate\n\n"
GROWN = """    app.register_blueprint(pages)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///meals.db"
    db.init_app(app)
    migrate.init_app(app, db)
"""


def grow(project):
    """Adds a module, a package and migrations, as people do, and a database below `instance/`."""
    (project / "models.py").write_text(MODELS)
    (project / "kitchen").mkdir()
    (project / "kitchen/__init__.py").write_text("OPEN = True\n")
    wsgi = project / "wsgi.py"
    text = wsgi.read_text().replace("    app.register_blueprint(pages)\n", GROWN)
    wsgi.write_text(
        text.replace(
            "miniapp = MiniApp()", "from kitchen import OPEN\nfrom models import db, migrate\n\nminiapp = MiniApp()"
        )
    )
    for command in (("init",), ("migrate",), ("upgrade",)):
        miniapp = [sys.executable, "-P", "-m", "miniapp", "exec", "--", "flask", "db", *command]
        subprocess.run(miniapp, cwd=project, env=ENVIRONMENT, check=True, capture_output=True, timeout=120)


def image(project):
    """What the Dockerfile copies: everything but what .dockerignore's patterns name."""
    assert "COPY . .\n" in (project / "Dockerfile").read_text()
    lines = (project / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    anywhere = {pattern.removeprefix("**/") for pattern in patterns if pattern.startswith("**/")}

    def copied(name):
        parts = Path(name).parts
        return not any(fnmatch(parts[0], pattern) for pattern in patterns) and anywhere.isdisjoint(parts)

    return {name for name in files(project) if copied(name)}


def test_a_project_grows_without_changes_of_its_own_files(project, tmp_path):
    """A module, a package and migrations that are added come into the image and run there; state and secrets don't."""
    grow(project)
    grown = image(project)
    assert {"wsgi.py", "models.py", "kitchen/__init__.py", "gunicorn.conf.py", "migrations/env.py"} <= grown
    assert "templates/home.html" in grown
    assert (project / "instance/meals.db").is_file()
    assert not {name for name in grown if re.match(r"\.env|\.git|instance|tests|Dockerfile", name)}
    for name in grown:
        (tmp_path / "image" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / name, tmp_path / "image" / name)
    settings = {"SECRET_KEY": "nine-blue-whales-sing-here", "ONECHAT_APP_ID": "app-12345678"}
    with gunicorn({**settings, "ONECHAT_API_KEY": "key-12345678"}, folder=tmp_path / "image") as url:
        assert requests.get(f"{url}/healthz", timeout=30).status_code == 200


def test_git_takes_the_sources_and_neither_state_nor_secrets(project):
    """`git add .` in a project that has grown takes its modules and migrations, and no database or `.env`."""
    grow(project)
    subprocess.run(["git", "init", "-q", project], check=True)
    subprocess.run(["git", "-C", project, "add", "."], check=True)
    found = subprocess.check_output(["git", "-C", project, "ls-files"], text=True).split()
    assert {"models.py", "kitchen/__init__.py", "migrations/env.py"} <= set(found)
    assert not [name for name in found if re.match(r"\.env|instance|\.onechat", name)]


def test_a_project_may_be_called_as_a_dependency(tmp_path):
    """A project in a directory `flask` has another name as a distribution: it would need itself otherwise."""
    scaffold.create(tmp_path / "flask", {})
    assert tomllib.loads((tmp_path / "flask/pyproject.toml").read_text())["project"]["name"] == "mini-app-flask"


def test_gunicorn_opens_no_control_socket(project, tmp_path):
    """Under the scaffold's gunicorn.conf.py no socket that all apps of a user share is made, and none is missed."""
    (tmp_path / "home").mkdir()
    settings = {"SECRET_KEY": "nine-blue-whales-sing-here", "ONECHAT_APP_ID": "app-12345678"}
    settings |= {"ONECHAT_API_KEY": "key-12345678", "HOME": str(tmp_path / "home")}
    with gunicorn_process(settings, folder=project) as running:
        assert requests.get(f"{running.url}/healthz", timeout=30).status_code == 200
        assert "ontrol socket" not in "".join(running.said)
        assert list((tmp_path / "home").iterdir()) == []


def source_tree(target):
    """A copy of what a wheel is built from."""
    ignored = shutil.ignore_patterns("__pycache__", "build", "node_modules")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore", "wsgi.py"):
        shutil.copy(ROOT / name, target / name)
    for name in ("miniapp", "templates", "static", "docs"):
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    (target / "tests").mkdir()
    shutil.copy(ROOT / "tests/test_starter.py", target / "tests")
    return target


def build_wheel(source, target="wheel", **environment):
    """Runs hatchling's wheel build in `source`, offline."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target],
        cwd=source,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_wheel_carries_the_starter(tmp_path):
    """From an installed wheel, far from any checkout, a project comes out the same."""
    source = tmp_path / "source"
    source.mkdir()
    build = source_tree(source) / "miniapp/sandbox/static/build"
    for name in ("host.js", "ocwp/ocwp.js"):
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_text("// built before\n")
    built = build_wheel(source)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        assert "miniapp/_docs/bridge.md" in archive.namelist()
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        assert "Project-URL: " in archive.read(metadata).decode()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in ("host.js", "ocwp/ocwp.js"):
        assert (site / "miniapp/sandbox/static/build" / name).is_file()
    make = (
        "from pathlib import Path; from miniapp.project import new; new.create(Path('lunch-club'), {});"
        "print(new.starter())"
    )
    done = subprocess.run(
        [sys.executable, "-c", make],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == str(site / "miniapp/_starter")
    scaffold.create(tmp_path / "other/lunch-club", {})
    assert files(tmp_path / "lunch-club") == files(tmp_path / "other/lunch-club")


def test_a_wheel_without_bundles_says_what_is_missing(tmp_path):
    """Where the bundles are missing and npm too, the wheel's build fails and says what to install."""
    built = build_wheel(source_tree(tmp_path), PATH="")
    assert built.returncode != 0
    assert "install Node" in built.stdout + built.stderr


def test_an_editable_install_needs_no_bundles(tmp_path):
    """`pip install -e .` works in a fresh clone, before anything has been built and without npm."""
    built = build_wheel(source_tree(tmp_path), "wheel:editable", PATH="")
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (path_file,) = (name for name in archive.namelist() if name.endswith(".pth"))
        assert archive.read(path_file).decode().strip() == str(tmp_path)
