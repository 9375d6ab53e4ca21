"""Stored video as what browsers play: containers told apart, bare H.264 put into MPEG-4."""
