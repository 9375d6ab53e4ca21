"""The DICOMweb application: every resource and its handler, by the tables of PS3.18 §10."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dicomweb import question
from dicomweb.capabilities import capability_routes
from dicomweb.commitment import LARGEST_BODY, CommitmentResource
from dicomweb.delete import Delete
from dicomweb.instances import Instances
from dicomweb.links import COMMITMENT, INSTANCE, SERIES, STUDY, Links
from dicomweb.metadata import MetadataResource
from dicomweb.package import Package
from dicomweb.pixels import Pixels
from dicomweb.rendered import Rendered
from dicomweb.search import SearchResource
from dicomweb.short import short_routes
from dicomweb.slide import IIIF, IIIF_PICTURE, SlideResource
from dicomweb.store import Store
from dicomweb.wado_uri import WADO, WadoUri
from vna.http.edge import Edge
from vna.http.router import Intake, Route
from vna.http.settings import EdgeSettings
from vna.model.query import Level
from vna.services.assembly import Assembly
from vna.services.budget import Budget
from vna.services.commitment import Commitment
from vna.services.ingest import Ingest
from vna.services.metadata import Metadata
from vna.services.retrieve import Retrieve
from vna.services.search import Search
from vna.services.trash import Trash
from vna.services.views.slides import Slides
from vna.services.views.views import Views


@dataclass(frozen=True, slots=True)
class Services:
    """What DICOMweb speaks for."""

    ingest: Ingest
    assembly: Assembly
    search: Search
    retrieve: Retrieve
    metadata: Metadata
    trash: Trash
    commitment: Commitment
    views: Views
    slides: Slides


def build(services: Services, settings: EdgeSettings, budget: Budget) -> Edge:
    """The ASGI application of everything below `settings.root`.

    `budget` admits request bodies; share it with the other faces of the process. Make it after the
    fork: it owns threads.
    """
    reading = ThreadPoolExecutor(settings.threads, "dicomweb-read")
    receiving = ThreadPoolExecutor(settings.threads, "dicomweb-receive")
    links = Links(settings.service_url)
    strict = settings.strict_accept
    pixels = Pixels(services.retrieve, links, strict=strict)
    package = Package(services.retrieve)
    instances = Instances(services.retrieve, pixels, package, links, strict=strict)
    metadata = MetadataResource(services.metadata, links, strict=strict)
    delete = Delete(services.trash)
    store = Store(services.ingest, services.assembly, receiving, links, settings.request_bytes)
    commitment = CommitmentResource(services.commitment)
    rendered = Rendered(services.retrieve, services.views, links, strict=strict)
    wado = WadoUri(
        services.retrieve, rendered, links, strict=strict, ignored=settings.ignored_parameters
    )
    slide = SlideResource(services.slides, links, strict=strict)
    routes: list[Route | Intake] = [
        Intake("POST", "/studies", store),
        Intake("POST", STUDY, store),
        *(
            Route("GET", path, instances, prompt=path == INSTANCE)
            for path in (STUDY, SERIES, INSTANCE)
        ),
        *(Route("DELETE", path, delete) for path in (STUDY, SERIES, INSTANCE)),
        *(Route("GET", f"{path}/metadata", metadata) for path in (STUDY, SERIES, INSTANCE)),
        *(
            Route("GET", f"{path}/pixeldata", pixels.pixeldata)
            for path in (STUDY, SERIES, INSTANCE)
        ),
        *(
            Route("GET", f"{path}/bulkdata", pixels.all_bulkdata)
            for path in (STUDY, SERIES, INSTANCE)
        ),
        Route("GET", INSTANCE + "/frames/{frames}", pixels.frames, prompt=True),
        Route("GET", INSTANCE + "/bulkdata/{path:rest}", pixels.bulkdata),
        Route("GET", WADO, wado),
        *(
            Route("GET", path + ending, handle)
            for path in (STUDY, SERIES, INSTANCE, INSTANCE + "/frames/{frames}")
            for ending, handle in (("/rendered", rendered), ("/thumbnail", rendered.thumbnail))
        ),
        Route("GET", SERIES + IIIF, slide.base),
        Route("GET", f"{SERIES}{IIIF}/info.json", slide.info),
        Route("GET", SERIES + IIIF_PICTURE, slide.picture),
        Route("POST", COMMITMENT, commitment.post, LARGEST_BODY),
        Route("GET", COMMITMENT, commitment.get),
    ]
    searches = {
        "/patients": question.patients(),
        "/studies": question.studies(),
        "/series": question.series(of_study=False),
        f"{STUDY}/series": question.series(of_study=True),
        "/instances": question.instances(of=None),
        f"{STUDY}/instances": question.instances(of=Level.STUDY),
        f"{SERIES}/instances": question.instances(of=Level.SERIES),
    }
    for path, template in searches.items():
        resource = SearchResource(services.search, links, settings, template)
        routes.append(Route("GET", path, resource))
    plain = [each for each in routes if isinstance(each, Route)]
    routes += short_routes(plain, services.search)
    routes += capability_routes([each.template for each in routes], links)
    return Edge(routes, settings, root=settings.root, pools=[reading, receiving], budget=budget)
