"""What is shipped around the archive names things that exist, and its peers can read it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.peers import haproxy
from tests.peers.require import require
from vna.config.settings import settings_reference

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(each for each in DEPLOY.rglob("*") if each.is_file())
TLS = Path(__file__).parents[1] / "app" / "tls"
GAUGES = re.compile(r'"(vna_[a-z_]+)":')
FACES = Path(__file__).parents[2] / "vna" / "app" / "faces.py"


def test_every_setting_is_one() -> None:
    known = {each.env for each in settings_reference()}
    known |= {f"{each.env}_FILE" for each in settings_reference() if each.secret}
    for path in FILES:
        named = set(re.findall(r"\bVNA_[A-Z0-9_]+\b", path.read_text()))
        assert named <= known, path.name


def test_every_metric_is_one() -> None:
    families = set(GAUGES.findall(FACES.read_text()))
    source = (DEPLOY.parent / "vna" / "app" / "metrics.py").read_text()
    families |= set(re.findall(r'"(vna_[a-z_]+)"', source))
    printed = families | {
        f"{each}{end}" for each in families for end in ("_total", "_count", "_sum", "_bucket")
    }
    for name in ("grafana.json", "alerts.yaml"):
        used = set(re.findall(r"\bvna_[a-z_]+", (DEPLOY / name).read_text()))
        assert used <= printed, name


def test_the_dashboard_has_a_query_in_every_panel() -> None:
    board = json.loads((DEPLOY / "grafana.json").read_text())
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))


def test_haproxy_takes_its_configuration(tmp_path: Path) -> None:
    require(haproxy.missing())
    pem = tmp_path / "archive.pem"
    pem.write_text((TLS / "certificate.pem").read_text() + (TLS / "key.pem").read_text())
    text = (DEPLOY / "haproxy.cfg").read_text().replace("/run/secrets/archive.pem", str(pem))
    path = tmp_path / "haproxy.cfg"
    path.write_text(text)
    done = subprocess.run(
        ["haproxy", "-c", "-f", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    require(None if shutil.which("nginx") else "apt-get install nginx-light")
    text = (DEPLOY / "nginx.conf").read_text()
    text = text.replace("/etc/vna/archive.pem", str(TLS / "certificate.pem"))
    text = text.replace("/etc/vna/archive.key", str(TLS / "key.pem"))
    path = tmp_path / "nginx.conf"
    path.write_text(f"pid {tmp_path}/pid;\n" + text)
    words = ["nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(path), "-e", "stderr"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [each for each in FILES if each.suffix in (".yaml", ".example")])
def test_what_is_yaml_has_no_tabs_and_even_indents(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert "\t" not in line, (path.name, number)
        indent = len(line) - len(line.lstrip(" "))
        assert indent % 2 == 0, (path.name, number)
