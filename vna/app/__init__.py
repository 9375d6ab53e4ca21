"""The composition root: settings → stores → index → services → listeners.

Only this package knows all of them; `Archive` is what every process opens for itself, the
supervisor forks the processes of `vna serve`.
"""
