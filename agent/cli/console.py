"""``voice-agent console``: what people sign in to the console with."""

from __future__ import annotations

import argparse
import getpass
import json
import sys

from agent.cli.options import FAILED, Commands

ROLES = ("look", "listen", "operate", "edit")
"""What somebody may do: :data:`agent.settings.console.RoleName`."""


def add(commands: Commands) -> None:
    """Declare the commands below it, and their options."""
    console = commands.add_parser("console", help="the console: make a password")
    parts = console.add_subparsers(title="commands", required=True, metavar="COMMAND")
    password = parts.add_parser(
        "password", help="ask for a password, and print the lines for voice-agent.toml"
    )
    password.add_argument("name", nargs="?", metavar="NAME", help="whose it is; else the only one")
    password.add_argument("--role", choices=ROLES, default="look", help="what NAME may do (look)")
    password.set_defaults(run=_password)


def _password(options: argparse.Namespace) -> int:
    """Ask twice; of a pipe, take the first line."""
    from pydantic import TypeAdapter, ValidationError

    from agent.console.sign_in.passwords import hashed, weakness_of
    from agent.settings.console import UserName

    if options.name is not None:
        try:
            TypeAdapter(UserName).validate_python(options.name)
        except ValidationError:
            return _say("a name has at most 64 letters, digits, ., _, @ and -")
    if sys.stdin is not None and sys.stdin.isatty():
        try:
            password = getpass.getpass("Password: ")
            if not weakness_of(password) and getpass.getpass("Once more: ") != password:
                return _say("these were two different ones")
        except EOFError:
            return _say("no password")
    else:
        password = sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""
    if why := weakness_of(password):
        return _say(why)
    if options.name is None:
        print(f"[console]\npassword = {json.dumps(hashed(password))}")
    else:
        print(f"[console.users.{json.dumps(options.name)}]")
        print(f"password = {json.dumps(hashed(password))}\nrole = {json.dumps(options.role)}")
    return 0


def _say(why: str) -> int:
    print(f"voice-agent: password: {why}", file=sys.stderr)
    return FAILED
