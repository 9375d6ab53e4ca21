"""Waveforms on paper: read, laid out in millimetres, written as SVG, PNG and PDF."""
