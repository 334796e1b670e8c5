"""Facts about images, and how far two of them differ; Pillow loads when it is first needed."""

from oxcore.media.difference import PixelDiff, pixel_diff
from oxcore.media.facts import MAX_PIXELS, ImageFacts, facts, is_image_name

__all__ = ["MAX_PIXELS", "ImageFacts", "PixelDiff", "facts", "is_image_name", "pixel_diff"]
