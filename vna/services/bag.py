"""An export as a bag that any archivist's tool checks: BagIt 1.0 (RFC 8493), and signed.

data/…                     what was exported
manifest-sha256.txt        each file of it
bagit.txt, bag-info.txt    what the bag is
tagmanifest-sha256.txt     the three above
tagmanifest-sha256.txt.sig the archive's signature under all of it; signing-key.pub.pem checks it
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from vna.services.destination import MANIFEST, Destination
from vna.services.signing import PUBLIC_KEY, SIGNATURE, SigningKey

TAG_MANIFEST = "tagmanifest-sha256.txt"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def seal(destination: Destination, about: Mapping[str, str], key: SigningKey) -> None:
    """Make a bag of what was written below data/; whatever a run before it made is replaced.

    `about`: further lines of bag-info.txt. Durable when it returns.
    """
    size, count = destination.total()
    info = {
        "Bagging-Date": datetime.now(UTC).date().isoformat(),
        "Bag-Software-Agent": f"regional-vna {version('regional-vna')}",
        "Payload-Oxum": f"{size}.{count}",
        **about,
        "Signing-Key-SHA256": key.fingerprint,
    }
    destination.write_manifest()
    tags = {
        "bag-info.txt": "".join(f"{name}: {said}\n" for name, said in info.items()).encode(),
        "bagit.txt": DECLARATION,
        MANIFEST: destination.manifest(),
    }
    listed = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in tags.items()
    ).encode()
    for name, content in (
        ("bagit.txt", tags["bagit.txt"]),
        ("bag-info.txt", tags["bag-info.txt"]),
        (TAG_MANIFEST, listed),
        (TAG_MANIFEST + SIGNATURE, key.sign(listed)),
        (PUBLIC_KEY, key.public),
    ):
        destination.replace(name, content)
