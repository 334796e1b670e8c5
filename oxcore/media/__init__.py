"""Facts about images, and how far two of them differ; Pillow loads when it is first needed."""

from oxcore.media.facts import MAX_PIXELS, ImageFacts, facts, is_image_name
from oxcore.model.late import late

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.media.difference import PixelDiff, pixel_diff

__all__ = ["MAX_PIXELS", "ImageFacts", "PixelDiff", "facts", "is_image_name", "pixel_diff"]

__getattr__ = late(__name__, {"difference": "PixelDiff pixel_diff"})
