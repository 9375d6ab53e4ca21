"""Settings come from flags, environment and TOML, in this order; what is unknown is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from vna.config import Settings, load, settings_reference
from vna.errors import InvalidConfiguration


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def toml(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_nothing_given_means_the_documented_defaults() -> None:
    settings = load({}, {}).settings
    assert settings == Settings()
    assert (settings.data, settings.http) == (Path("vna-data"), "127.0.0.1:8080")
    assert settings.dicomweb.root == "/dicomweb"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.database_url == f"sqlite:///{Path.cwd()}/vna-data/index.db"


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    file = toml(tmp_path / "a.toml", 'http = "127.0.0.1:1"\ndata = "one"\n[server]\nworkers = 3\n')
    environ = {"VNA_HTTP": "127.0.0.1:2", "VNA_SERVER__WORKERS": "4"}
    loaded = load({"http": "127.0.0.1:3", "data": None}, environ, config=file)
    assert loaded.settings.http == "127.0.0.1:3"
    assert loaded.settings.server.workers == 4
    assert loaded.settings.data == tmp_path / "one"
    assert loaded.origins["http"] == "flag --http"
    assert loaded.origins["server.workers"] == "env VNA_SERVER__WORKERS"
    assert loaded.origins["data"] == str(file)
    assert loaded.origins["log.level"] == "default"


def test_the_first_file_found_is_read(tmp_path: Path) -> None:
    xdg = toml(tmp_path / "x" / "vna" / "vna.toml", 'http = "127.0.0.1:4"')
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "x")}
    assert load({}, environ).file == xdg
    here = toml(tmp_path / "vna.toml", 'http = "127.0.0.1:5"')
    assert load({}, environ).settings.http == "127.0.0.1:5"
    assert load({}, environ).file == Path(here.name)
    named = toml(tmp_path / "named.toml", 'http = "127.0.0.1:6"')
    assert load({}, environ | {"VNA_CONFIG": str(named)}).settings.http == "127.0.0.1:6"


@pytest.mark.parametrize(
    ("environ", "text", "said"),
    [
        ({"VNA_DATABSE": "x"}, "", "'VNA_DATABSE' is not known; did you mean 'VNA_DATABASE'"),
        ({"VNA_SERVER__WORKER": "1"}, "", "did you mean 'VNA_SERVER__WORKERS'"),
        ({}, "htpp = 'x'", "did you mean 'http'"),
        ({}, "[server]\nworker = 1", "did you mean 'server.workers'"),
        ({}, "[sever]\nworkers = 1", "'sever' is not known; did you mean 'server'"),
        ({}, "server = 1", "server is a section: write [server]"),
        ({}, "[http]\nport = 1", "http is {'port': 1}, but must be text"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest(
    tmp_path: Path, environ: dict[str, str], text: str, said: str
) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        load({}, environ, config=toml(tmp_path / "a.toml", text))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("VNA_DIMSE", "11112", "HOST:PORT"),
        ("VNA_AE_TITLE", "MUCH TOO LONG A TITLE", "1 to 16 ASCII"),
        ("VNA_HTTP", "8080", "HOST:PORT"),
        ("VNA_HTTP", "127.0.0.1:99999", "HOST:PORT"),
        ("VNA_DATABASE", "mysql://x/y", "postgresql://"),
        ("VNA_DATABASE", "sqlite://relative.db", "absolute path"),
        ("VNA_SERVER__WORKERS", "0", "from 1 to 256"),
        ("VNA_SERVER__WORKERS", "two", "from 1 to 256"),
        ("VNA_SERVER__BUDGET", "12 MB", "256 MiB"),
        ("VNA_SERVER__PUBLIC_URL", "archive.example.org", "absolute URL"),
        ("VNA_DICOMWEB__ROOT", "dicomweb", "path"),
        ("VNA_LOG__FORMAT", "xml", "one of auto, json, human"),
    ],
)
def test_a_value_out_of_its_domain_is_refused_by_name_and_place(
    variable: str, value: str, rule: str
) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        load({}, {variable: value})
    assert rule in str(caught.value)
    assert f"(env {variable})" in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:80", "127.9.9.9:0", "[::1]:8080", "localhost:8080"])
def test_every_spelling_of_loopback_may_be_bound(host: str) -> None:
    assert load({"http": host}, {}).settings.http == host


def test_a_secret_is_read_from_a_file_and_never_repeated_in_an_error(tmp_path: Path) -> None:
    secret = toml(tmp_path / "secret", "postgresql://u:hunter2@h/n\n")
    loaded = load({}, {"VNA_DATABASE_FILE": str(secret)})
    assert loaded.settings.database_url == "postgresql+psycopg://u:hunter2@h/n"
    with pytest.raises(InvalidConfiguration, match="both set"):
        load({}, {"VNA_DATABASE_FILE": str(secret), "VNA_DATABASE": "x"})
    with pytest.raises(InvalidConfiguration) as caught:
        load({}, {"VNA_DATABASE": "oracle://u:hunter2@h"})
    assert "hunter2" not in str(caught.value)


def test_sizes_take_binary_units(tmp_path: Path) -> None:
    file = toml(tmp_path / "a.toml", '[server]\nbudget = "1 GiB"\n[store]\nsegment_size = 2097152')
    settings = load({}, {}, config=file).settings
    assert (settings.server.budget, settings.store.segment_size) == (1 << 30, 2 << 20)


def test_every_default_is_a_value_its_own_reader_gives() -> None:
    for setting in settings_reference():
        assert setting.read(_written(setting.default)) == setting.default, setting.name
        assert setting.doc.endswith("."), setting.name


def _written(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def test_lists_and_switches_are_written_as_toml_or_as_text(tmp_path: Path) -> None:
    file = toml(
        tmp_path / "a.toml", '[dicomweb]\nignored_parameters = ["a", "b"]\nstrict_accept = true'
    )
    assert load({}, {}, config=file).settings.dicomweb.ignored_parameters == ("a", "b")
    assert load({}, {}, config=file).settings.dicomweb.strict_accept is True
    environ = {"VNA_DICOMWEB__IGNORED_PARAMETERS": "a, b", "VNA_DICOMWEB__STRICT_ACCEPT": "false"}
    assert load({}, environ, config=file).settings.dicomweb.ignored_parameters == ("a", "b")
    assert load({}, environ, config=file).settings.dicomweb.strict_accept is False
