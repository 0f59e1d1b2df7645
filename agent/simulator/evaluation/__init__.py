"""Agents tried out in situations: judged, counted, compared."""
