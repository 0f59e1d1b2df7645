"""Calls as a Parquet file, by pyarrow, which is an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from agent.records.exports.columns import Columns, Row
from agent.records.exports.pages import WholeCall

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 10_000
"""Rows of a row group: what is read at once, and what is held in memory until it is written."""

GROUP_CHARACTERS = 16_000_000
"""Of texts in a row group; a group with more is written at once."""


class Parquet:
    """A row a call, or a turn: types that do not depend on what is in it, moments in UTC.

    Args:
        file: To write into.
        columns: Of the table.

    Raises:
        ModuleNotFoundError: If pyarrow is not installed; says how to.
    """

    def __init__(self, file: BinaryIO, columns: Columns) -> None:
        try:
            import pyarrow as pa  # noqa: PLC0415 - an extra, of 130 MB
            from pyarrow import parquet  # noqa: PLC0415
        except ModuleNotFoundError:
            message = 'Parquet needs pyarrow: pip install "sinch-voice-agent[parquet]"'
            raise ModuleNotFoundError(message) from None
        types: dict[str, Any] = {
            "text": pa.string(),
            "number": pa.float64(),
            "whole": pa.int64(),
            "flag": pa.bool_(),
            "time": pa.timestamp("ms", tz="UTC"),
        }
        self._columns = columns
        self._schema: pa.Schema = pa.schema(
            [(name, types[kind]) for name, kind in columns.kinds.items()]
        )
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._batch = pa.RecordBatch.from_pylist
        self._rows: list[Row] = []
        self._characters = 0

    def add(self, call: WholeCall) -> None:
        """Take a call; it is written with its row group."""
        for row in self._columns.rows(call):
            self._rows.append(row)
            self._characters += sum(len(value) for value in row if isinstance(value, str))
            if len(self._rows) >= GROUP_ROWS or self._characters >= GROUP_CHARACTERS:
                self._write()

    def close(self) -> None:
        """Write what is left, and the end, without which it is no Parquet."""
        if self._rows:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        named = [dict(zip(self._columns.kinds, row, strict=True)) for row in self._rows]
        self._writer.write_batch(self._batch(named, schema=self._schema))
        self._rows, self._characters = [], 0
