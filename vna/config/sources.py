"""Where settings come from: flags, then environment, then one TOML file, then defaults.

An unknown key in any of them is an error that names the nearest known one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from vna.config.settings import Setting, Settings, settings_reference
from vna.errors import InvalidConfiguration, UnknownName

CONFIG_VARIABLE = "VNA_CONFIG"
TEST_PREFIX = "VNA_TEST_"  # switches of the test suite, which are not settings


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and, by dotted name, where each value came from ("default", "env VNA_DATA", …).

    `file` is the TOML file that was read, or None.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None

    def value(self, name: str) -> object:
        """The value of a setting by its dotted name."""
        found: object = self.settings
        for part in name.split("."):
            found = getattr(found, part)
        return found


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], *, config: Path | None = None
) -> Loaded:
    """Read all sources. `flags`: dotted name to value, absent or None where not given.

    Raises `InvalidConfiguration` for a value out of its domain, an unreadable file or an unknown
    key, each with the place that says so.
    """
    known = {setting.name: setting for setting in settings_reference()}
    file = _file(config, environ)
    found: dict[str, tuple[object, str]] = {}
    for layer in (
        _from_file(file, known) if file else iter(()),
        _from_environment(environ, known),
        _from_flags(flags, known),
    ):
        for name, value, origin in layer:
            found[name] = (_read(known[name], value, origin), origin)
    settings = _build({name: value for name, (value, _) in found.items()})
    origins = {name: found[name][1] if name in found else "default" for name in known}
    return Loaded(settings, origins, file)


def _file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    if config is not None:
        return config
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    home = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "/")) / ".config")
    places = (Path("vna.toml"), Path(home) / "vna" / "vna.toml", Path("/etc/vna/vna.toml"))
    return next((place for place in places if place.is_file()), None)


def _from_file(file: Path, known: Mapping[str, Setting]) -> Iterator[tuple[str, object, str]]:
    try:
        with file.open("rb") as stream:
            document = tomllib.load(stream)
    except OSError as error:
        raise InvalidConfiguration(f"{file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{file} is not TOML: {error}") from None
    sections = {name.partition(".")[0] for name in known if "." in name}
    for key, value in document.items():
        rows = {key: value}
        if key in sections:
            if not isinstance(value, dict):
                raise InvalidConfiguration(f"{file}: {key} is a section: write [{key}]")
            rows = {f"{key}.{inner}": entry for inner, entry in value.items()}
        elif key not in known:
            tops = sections | {name for name in known if "." not in name}
            _check(key, tops, f"{file}: key")
        for name, entry in rows.items():
            _check(name, known, f"{file}: key")
            yield name, _beside(file, entry) if name == "data" else entry, str(file)


def _beside(file: Path, value: object) -> object:
    """A relative data folder in a file is meant from that file's folder."""
    return str(file.parent / Path(value).expanduser()) if isinstance(value, str) else value


def _from_environment(
    environ: Mapping[str, str], known: Mapping[str, Setting]
) -> Iterator[tuple[str, object, str]]:
    by_variable = {setting.env: name for name, setting in known.items()}
    files = {f"{setting.env}_FILE": name for name, setting in known.items() if setting.secret}
    for variable, value in environ.items():
        if not variable.startswith("VNA_") or variable.startswith(TEST_PREFIX):
            continue
        if variable == CONFIG_VARIABLE or not value:
            continue
        if variable in files:
            yield files[variable], _secret(variable, value), f"env {variable}"
            continue
        _check(variable, [*by_variable, *files, CONFIG_VARIABLE], "environment variable")
        if f"{variable}_FILE" in environ and f"{variable}_FILE" in files:
            raise InvalidConfiguration(f"{variable} and {variable}_FILE are both set")
        yield by_variable[variable], value, f"env {variable}"


def _secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{variable}: {path} cannot be read: {error}") from None


def _from_flags(
    flags: Mapping[str, object], known: Mapping[str, Setting]
) -> Iterator[tuple[str, object, str]]:
    for name, value in flags.items():
        if value is not None:
            _check(name, known, "flag")
            yield name, value, f"flag --{name.rpartition('.')[2].replace('_', '-')}"


def _check(name: str, known: Any, kind: str) -> None:
    if name not in known:
        raise InvalidConfiguration(str(UnknownName(kind, name, known)))


def _read(setting: Setting, value: object, origin: str) -> object:
    try:
        return setting.read(value)
    except ValueError as rule:
        shown = "" if setting.secret else f" is {value!r}, but"
        raise InvalidConfiguration(f"{setting.name}{shown} must {rule} ({origin})") from None


def _build(found: Mapping[str, object]) -> Settings:
    arguments: dict[str, Any] = {}
    for entry in fields(Settings):
        if entry.metadata:
            if entry.name in found:
                arguments[entry.name] = found[entry.name]
            continue
        prefix = f"{entry.name}."
        section: Any = entry.default_factory
        arguments[entry.name] = section(
            **{
                name.removeprefix(prefix): value
                for name, value in found.items()
                if name.startswith(prefix)
            }
        )
    return Settings(**arguments)
