"""Phones that we dial: whom we may, one or several on a line, and who answers."""
