"""Slagkracht: from the regions' own data to a national coverage plan, its gap and its strike power."""

__version__ = "0.1.0"
