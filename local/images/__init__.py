"""Container images of the local environment, assembled from built binaries without Docker."""

from local.images.archive import ImageError
from local.images.build import build, build_all
from local.images.catalogue import catalogue

__all__ = ["ImageError", "build", "build_all", "catalogue"]
