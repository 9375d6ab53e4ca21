"""A vendor-neutral archive: keeps the bytes it was given and answers in every hospital language."""
