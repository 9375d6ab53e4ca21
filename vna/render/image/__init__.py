"""Samples become pictures: the pipeline of PS3.4 §N.2, a stage for each file."""
