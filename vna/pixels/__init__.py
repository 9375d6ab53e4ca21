"""Samples of images: what the header says of them, out of and into every transfer syntax."""
