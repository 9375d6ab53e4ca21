"""Whether our import names are ours alone (docs/adr/0001-names.md)."""

from __future__ import annotations

from importlib.metadata import packages_distributions

PACKAGES = ("vna", "dicomweb", "storage_backends")


def shared_packages() -> dict[str, list[str]]:
    """Our import names that more than one installed distribution provides, with their owners."""
    owners = packages_distributions()
    found = {package: sorted(set(owners.get(package, []))) for package in PACKAGES}
    return {package: names for package, names in found.items() if len(names) > 1}
