"""Addresses, without what may be a secret in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.masking import masked, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.com/a/b", "https://example.com/a/b"),
        ("https://u:p@example.com:8443/a", "https://***@example.com:8443/a"),
        ("wss://example.com/s?token=x", "wss://example.com/s?***"),
        ("https://example.com/#key=x", "https://example.com/#***"),
        ("postgresql://bob:hun/t?e#r@2@host/name?password=x", "postgresql://***@host/name?***"),
        ("https://example.com/p?mail=a@b.example", "https://***@b.example"),  # rather too much
        ("http://u:p w@host/", "http://***@host/"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ("no answer from http://u:p@h/?q : refused", "no answer from http://***@h/?*** : refused"),
        ("('https://u:p@h/a', 'wss://h?t=1')", "('https://***@h/a', 'wss://h?***')"),
        ("https://h/?", "https://h/?"),
        ("reception", "reception"),
        ("", ""),
    ],
)
def test_what_may_be_secret_is_hidden(text: str, shown: str) -> None:
    """User, password, query, fragment; the rest tells which address it is."""
    assert masked(text) == shown
    assert masked(masked(text)) == masked(text)


def test_what_others_say_of_an_address_is_cleaned() -> None:
    """A server names the user whom it refuses, a library the address as it reads it."""
    address = "postgresql://bob:s%40fe@host/name?sslkey=hush"
    said = 'password authentication failed for user "bob" (s@fe, s%40fe, hush) at host'
    assert without_secrets(said, address) == (
        'password authentication failed for user "***" (***, ***, ***) at host'
    )


_PART = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), max_size=20)


@given(user=_PART, password=_PART, query=_PART)
def test_no_secret_is_left_whatever_is_in_it(user: str, password: str, query: str) -> None:
    """Also if it holds the signs that end one."""
    address = f"https://USER{user}:PASS{password}SECRET@host.example/p?QUERY{query}"
    assert masked(address).startswith("https://***@")
    for secret in ("USER", "PASS", "SECRET"):
        assert secret not in masked(address)
    assert "QUERY" not in masked(address)
