"""What is shown otherwise than as pixels: waveforms, reports, documents, videos and slides."""
