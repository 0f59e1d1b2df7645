"""What ``voice-agent completion`` and ``--version`` print."""

from __future__ import annotations

import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from agent.cli import main
from agent.cli.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_told_of_all_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And of their options."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("stand-in", "evaluate", "interrupt-after", "landline", "completion"):
        assert word in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("voice-agent ev", {"evaluate"}),
        ("voice-agent --ver", {"--version"}),
        ("voice-agent call --li", {"--line"}),
        ("voice-agent call --line mo", {"mobile"}),
        ("voice-agent sinch st", {"stand-in"}),
        ("voice-agent operate ta", {"take-over"}),
        ("voice-agent serve --config one", {"one.toml"}),
    ],
)
def test_bash_completes_what_is_typed(
    line: str, offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, options, their values, and files."""
    main(["completion", "bash"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    (tmp_path / "one.toml").touch()
    asked = (
        "set -e; . ./script; "
        f"COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        '_shtab_voice_agent voice-agent "${COMP_WORDS[COMP_CWORD]}" || true; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [str(shutil.which("bash")), "-c", asked],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert offered <= set(done.stdout.split()), done


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    """In a line by itself."""
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"voice-agent {metadata.version('sinch-voice-agent')}\n"
