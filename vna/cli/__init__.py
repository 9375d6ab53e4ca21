"""The command line: one file per verb.

Data goes to standard output, everything else to standard error. Verbs import what they need when
they run, so that `vna --help` stays quick.
"""
