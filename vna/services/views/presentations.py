"""What a presentation state shows: the images that it names, each as it says (PS3.4 §N.2)."""

from __future__ import annotations

from vna.dicom.item import Item
from vna.errors import InvalidValue, NotFound
from vna.model.caller import Caller
from vna.services.data_set import data_set
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored
from vna.services.views.pictures import drawn

LARGEST_FRAMES = 10_000  # that one presentation state shows


class Presentations:
    """Finds the images of presentation states."""

    def __init__(self, retrieve: Retrieve) -> None:
        self._retrieve = retrieve

    def shown(self, caller: Caller, state: Stored) -> list[tuple[Stored, int]]:
        """Every (image, frame number) that it shows, in its order.

        Raises `NotFound` where the archive lacks an image: half a presentation is none.
        """
        from vna.render.image.presentation_state import references

        held = self._images(caller, state)
        found: list[tuple[Stored, int]] = []
        for reference in references(self._item(state)):
            image = held.get(reference.sop_uid)
            if image is None or not drawn(image):
                raise NotFound(
                    "the presentation state shows an image that is not in its study here: "
                    f"{reference.sop_uid[:64]}"
                )
            numbers = reference.frames or range(1, image.frames + 1)
            for number in numbers:
                image.anatomy.frame(number)
            found += [(image, number) for number in numbers]
            if len(found) > LARGEST_FRAMES:
                raise NotFound(f"a presentation state of more than {LARGEST_FRAMES} frames")
        if not found:
            raise NotFound("the presentation state shows no image")
        return found

    def state(self, caller: Caller, study: str, series: str, uid: str, image: Stored) -> Stored:
        """The presentation state by its UIDs. Raises `NotFound`, and `InvalidValue` where it is
        none, or does not show `image`."""
        from vna.render.image.presentation_state import references

        (state,) = self._retrieve.instances(caller, study, series, uid, purpose="rendered")
        if all(each.sop_uid != image.sop_uid for each in references(self._item(state))):
            raise InvalidValue("presentationUID", uid, "name a presentation state of the image")
        return state

    def _images(self, caller: Caller, state: Stored) -> dict[str, Stored]:
        instances = self._retrieve.instances(caller, state.study_uid, purpose="rendered")
        return {each.sop_uid: each for each in instances}

    def _item(self, state: Stored) -> Item:
        return Item.decode(data_set(self._retrieve.values(state), state))
