"""Settings: declared once, read from flags, environment and TOML.

`Settings` stops at `vna.app`: everything below is given what it needs, not the configuration.
"""

from vna.config.settings import Settings, settings_reference
from vna.config.sources import Loaded, load

__all__ = ["Loaded", "Settings", "load", "settings_reference"]
