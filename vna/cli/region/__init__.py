"""A small synthetic region: hospitals, people and what was made of them, the same every time.

Nobody in it exists; every object is made by code from the words and numbers in these files.
"""
