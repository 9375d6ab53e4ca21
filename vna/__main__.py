"""`vna` and `python -m vna`."""

from __future__ import annotations

from vna.cli.program import main

if __name__ == "__main__":
    main()
