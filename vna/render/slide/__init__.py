"""Whole-slide images as one picture: levels of tiles, any region of them at any size."""
