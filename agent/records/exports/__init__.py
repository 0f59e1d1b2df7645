"""Records as other programs take them: JSON Lines, CSV, Parquet, WebVTT."""
