"""dicomweb-client for JavaScript, which viewers use, makes every call it has in a browser."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames

from tests.clients import patient, site
from tests.dicomweb.wire import store
from tests.faults.synthetic import small
from tests.peers import chromium, npm
from tests.peers.require import require

PACKAGE = "dicomweb-client"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
EXPLICIT_LE = "1.2.840.10008.1.2.1"

# Bytes leave the page as base64; everything else is JSON already.
PAGE = """<!doctype html><meta charset="utf-8"><title>dicomweb-client</title>
<link rel="icon" href="data:,">
<script src="/dicomweb-client.js"></script>
<script>
  const { DICOMwebClient } = window.DICOMwebClient.api;
  const client = new DICOMwebClient({ url: location.origin + '/dicomweb', verbose: false });
  const single = new DICOMwebClient({
    url: location.origin + '/dicomweb', verbose: false, singlepart: 'bulkdata' });
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;
  const out = value => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const view = new Uint8Array(value.buffer ?? value, value.byteOffset ?? 0, value.byteLength);
      let text = '';
      for (let at = 0; at < view.length; at += 8192)
        text += String.fromCharCode(...view.subarray(at, at + 8192));
      return { base64: btoa(text) };
    }
    return Array.isArray(value) ? value.map(out) : value;
  };
</script>"""


@dataclass(frozen=True)
class Held:
    """A page with the client, over an archive that holds one object of each kind."""

    page: chromium.Page
    site: site.Site
    objects: dict[str, pydicom.FileDataset]  # by modality

    def call(self, name: str, *, client: str = "client", **options: Any) -> Any:
        """What the client's method gives; bytes as bytes."""
        return _in(self.page.evaluate(f"{client}.{name}({json.dumps(options)}).then(out)"))

    def uids(self, modality: str) -> dict[str, str]:
        """Options that name the first instance of a modality."""
        ds = self.objects[modality]
        return {
            "studyInstanceUID": ds.StudyInstanceUID,
            "seriesInstanceUID": ds.SeriesInstanceUID,
            "sopInstanceUID": ds.SOPInstanceUID,
        }


def _in(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"base64"}:
        return base64.b64decode(value["base64"])
    return [_in(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    require(npm.missing(PACKAGE))
    require(chromium.missing())
    sent = patient.everything()
    objects: dict[str, pydicom.FileDataset] = {}
    for data in sent:
        ds = read(data)
        objects.setdefault(ds.Modality, ds)
    with (
        site.serving(
            tmp_path_factory.mktemp("js") / "data",
            npm.folder(PACKAGE) / "build",
            {"/index.html": PAGE},
        ) as served,
        chromium.running() as browser,
    ):
        with httpx.Client(base_url=served.dicomweb, timeout=60) as client:
            assert store(client, *sent).status_code == 200
        page = browser.page()
        page.open(f"{served.url}/index.html")
        page.until("document.readyState === 'complete' && client && single")
        yield Held(page, served, objects)


def read(data: bytes) -> pydicom.FileDataset:
    """A Part 10 file."""
    return pydicom.dcmread(io.BytesIO(data))


def storeInstances(held: Held) -> None:
    one, other = small(11, 1), small(11, 2)
    parts = [base64.b64encode(each.data).decode() for each in (one, other)]
    for extra in ({}, {"studyInstanceUID": one.study_uid}):
        answer = held.page.evaluate(
            f"client.storeInstances({{ datasets: {json.dumps(parts)}.map(bytes),"
            f" ...{json.dumps(extra)} }})"
        )
        stored = json.loads(answer)["00081199"]["Value"]
        assert [each["00081155"]["Value"][0] for each in stored] == [one.sop_uid, other.sop_uid]


def searchForStudies(held: Held) -> None:
    found = held.call(
        "searchForStudies",
        queryParams={"PatientID": held.objects["CT"].PatientID, "includefield": "00081030"},
    )
    assert {each["0020000D"]["Value"][0] for each in found} == {s.uid for s in patient.MINE}
    assert held.call("searchForStudies", queryParams={"PatientID": "nobody"}) == []


def searchForSeries(held: Held) -> None:
    uids = held.uids("US")
    (found,) = held.call("searchForSeries", studyInstanceUID=uids["studyInstanceUID"])
    assert found["0020000E"]["Value"] == [uids["seriesInstanceUID"]]
    assert len(held.call("searchForSeries", queryParams={"Modality": "ECG"})) == 1


def searchForInstances(held: Held) -> None:
    uids = held.uids("CT")
    del uids["sopInstanceUID"]
    of_series = held.call("searchForInstances", **uids)
    del uids["seriesInstanceUID"]
    of_study = held.call("searchForInstances", **uids)
    assert len(of_series) == len(of_study) == patient.SLICES
    (one,) = held.call(
        "searchForInstances", queryParams={"SOPInstanceUID": held.uids("US")["sopInstanceUID"]}
    )
    assert one["00080018"]["Value"] == [held.uids("US")["sopInstanceUID"]]


def retrieveStudyMetadata(held: Held) -> None:
    found = held.call("retrieveStudyMetadata", **held.uids("CT"))
    assert len(found) == patient.SLICES


def retrieveSeriesMetadata(held: Held) -> None:
    (found,) = held.call("retrieveSeriesMetadata", **held.uids("ECG"))
    assert found["00080018"]["Value"] == [held.uids("ECG")["sopInstanceUID"]]


def retrieveInstanceMetadata(held: Held) -> None:
    found = held.call("retrieveInstanceMetadata", **held.uids("US"))
    assert [each["00280010"]["Value"] for each in found] == [[held.objects["US"].Rows]]


def retrieveStudy(held: Held) -> None:
    found = held.call("retrieveStudy", **held.uids("CT"))
    assert held.objects["CT"] in [read(each) for each in found]
    assert len(found) == patient.SLICES


def retrieveSeries(held: Held) -> None:
    found = held.call("retrieveSeries", **held.uids("CT"))
    assert len(found) == patient.SLICES


def retrieveInstance(held: Held) -> None:
    for modality in ("CT", "ECG", "DOC"):
        found = held.call("retrieveInstance", **held.uids(modality))
        assert read(found) == held.objects[modality]
    # Naming a media type is refused by the client itself, in all three of these methods.
    with pytest.raises(chromium.PageFailed, match="is not supported for retrieval of instance"):
        held.call(
            "retrieveInstance", **held.uids("CT"), mediaTypes=[{"mediaType": "application/dicom"}]
        )


def retrieveInstanceFrames(held: Held) -> None:
    stored = list(generate_frames(held.objects["US"].PixelData, number_of_frames=30))
    jpeg = {"mediaType": "image/jpeg", "transferSyntaxUID": JPEG_BASELINE}
    native = {"mediaType": "application/octet-stream", "transferSyntaxUID": EXPLICIT_LE}
    as_stored = {"mediaType": "application/octet-stream", "transferSyntaxUID": "*"}
    for media_types in ([jpeg], [as_stored], [jpeg, native]):
        found = held.call(
            "retrieveInstanceFrames",
            **held.uids("US"),
            frameNumbers=[2, 30],
            mediaTypes=media_types,
        )
        assert found == [stored[1], stored[29]]
    ct = held.objects["CT"]
    assert held.call("retrieveInstanceFrames", **held.uids("CT"), frameNumbers=[1]) == [
        ct.PixelData
    ]
    for media_type, syntax, starts in (
        ("image/jpeg", "1.2.840.10008.1.2.4.57", b"\xff\xd8"),
        ("image/jpeg", "1.2.840.10008.1.2.4.70", b"\xff\xd8"),
        ("image/x-dicom-rle", "1.2.840.10008.1.2.5", b"\x02\0\0\0"),
        ("image/jls", "1.2.840.10008.1.2.4.80", b"\xff\xd8"),
        ("image/x-jls", "1.2.840.10008.1.2.4.80", b"\xff\xd8"),
        ("image/jp2", "1.2.840.10008.1.2.4.90", b"\xff\x4f"),
    ):
        asked = [{"mediaType": media_type, "transferSyntaxUID": syntax}]
        (frame,) = held.call(
            "retrieveInstanceFrames", **held.uids("CT"), frameNumbers=[1], mediaTypes=asked
        )
        assert frame.startswith(starts), syntax
        assert len(frame) < len(ct.PixelData)


def retrieveBulkData(held: Held) -> None:
    pixels = held.objects["CT"].PixelData
    (metadata,) = held.call("retrieveInstanceMetadata", **held.uids("CT"))
    uri = metadata["7FE00010"]["BulkDataURI"]
    octets = [{"mediaType": "application/octet-stream"}]
    assert held.call("retrieveBulkData", BulkDataURI=uri) == [pixels]
    assert held.call("retrieveBulkData", BulkDataURI=uri, mediaTypes=octets) == [pixels]
    # A range of one part; and progress, which is told as the bytes arrive.
    single = {"Accept": "application/octet-stream", "Range": "bytes=100-199"}
    assert held.call("retrieveBulkData", client="single", BulkDataURI=uri, headers=single) == [
        pixels[100:200]
    ]
    progress = held.page.evaluate(
        f"""(async () => {{
          const seen = [];
          const progressCallback = event => seen.push([event.loaded, event.total]);
          await single.retrieveBulkData({{
            BulkDataURI: {json.dumps(uri)}, headers: {{ Accept: 'application/octet-stream' }},
            request: {{ progressCallback }} }});
          return seen;
        }})()"""
    )
    assert progress[-1] == [len(pixels), len(pixels)]


def picture(parts: list[bytes]) -> tuple[str, tuple[int, int]]:
    """Format and size of a picture; the client gives the parts of a multipart answer."""
    (data,) = parts
    with Image.open(io.BytesIO(data)) as found:
        return str(found.format), found.size


def retrieveInstanceRendered(held: Held) -> None:
    ds = held.objects["XC"]
    for media_type, name in (("image/png", "PNG"), ("image/jpeg", "JPEG")):
        found = held.call(
            "retrieveInstanceRendered", **held.uids("XC"), mediaTypes=[{"mediaType": media_type}]
        )
        assert picture(found) == (name, (ds.Columns, ds.Rows))


def retrieveInstanceThumbnail(held: Held) -> None:
    found = held.call(
        "retrieveInstanceThumbnail", **held.uids("CT"), mediaTypes=[{"mediaType": "image/jpeg"}]
    )
    assert picture(found)[0] == "JPEG"


def retrieveInstanceFramesRendered(held: Held) -> None:
    found = held.call(
        "retrieveInstanceFramesRendered",
        **held.uids("US"),
        frameNumbers=[7],
        mediaTypes=[{"mediaType": "image/png"}],
    )
    assert picture(found) == ("PNG", (320, 240))


def retrieveInstanceFramesThumbnail(held: Held) -> None:
    found = held.call(
        "retrieveInstanceFramesThumbnail",
        **held.uids("US"),
        frameNumbers=[7],
        mediaTypes=[{"mediaType": "image/jpeg"}],
    )
    assert picture(found)[0] == "JPEG"


def buildInstanceWadoURIUrl(held: Held) -> None:
    """The client gives the address; here it is below /wado, as viewers are configured."""
    address = held.page.evaluate(
        f"""new DICOMwebClient({{ url: location.origin + '/dicomweb', wadoURLPrefix: 'wado' }})
          .buildInstanceWadoURIUrl({json.dumps(held.uids("US"))})"""
    )
    answer = httpx.get(address)
    assert answer.status_code == 200, answer.text
    assert read(answer.content) == held.objects["US"]


def setDebug(held: Held) -> None:
    """Asks no server, as the three below."""
    assert held.page.evaluate("(client.setDebug(false), client.getDebug())") is False


def getDebug(held: Held) -> None:
    assert held.page.evaluate("client.getDebug()") is False


def setVerbose(held: Held) -> None:
    assert held.page.evaluate("(client.setVerbose(false), client.getVerbose())") is False


def getVerbose(held: Held) -> None:
    assert held.page.evaluate("single.getVerbose()") is False


CALLS: list[Callable[[Held], None]] = [
    storeInstances, searchForStudies, searchForSeries, searchForInstances, retrieveStudyMetadata,
    retrieveSeriesMetadata, retrieveInstanceMetadata, retrieveStudy, retrieveSeries,
    retrieveInstance, retrieveInstanceFrames, retrieveInstanceRendered, retrieveInstanceThumbnail,
    retrieveInstanceFramesRendered, retrieveInstanceFramesThumbnail, retrieveBulkData,
    buildInstanceWadoURIUrl,
    setDebug, getDebug, setVerbose, getVerbose,
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_the_call_works(held: Held, call: Callable[[Held], None]) -> None:
    call(held)


def test_no_call_of_the_client_is_left_out(held: Held) -> None:
    methods = held.page.evaluate("Object.getOwnPropertyNames(DICOMwebClient.prototype)")
    public = {each for each in methods if not each.startswith("_")} - {"constructor"}
    assert public == {call.__name__ for call in CALLS}
