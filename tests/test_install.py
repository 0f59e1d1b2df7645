"""`deploy/install.py`: what it leaves out, and what it says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installer() -> ModuleType:
    """The script, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("installer", ROOT / "deploy" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("system", "machine", "libc", "macos", "reason"),
    [
        ("linux", "x86_64", ("glibc", "2.36"), "", ""),
        ("linux", "x86_64", ("glibc", "2.31"), "", "it needs glibc 2.34, and this is glibc 2.31"),
        ("linux", "aarch64", ("glibc", "2.31"), "", ""),
        ("linux", "aarch64", ("", ""), "", "it needs glibc 2.31, and this is another libc"),
        ("linux", "armv7l", ("glibc", "2.36"), "", "there is none for linux on armv7l"),
        ("darwin", "arm64", ("", ""), "15.2", ""),
        ("darwin", "arm64", ("", ""), "14.7", "it needs macOS 15, and this is 14.7"),
        ("darwin", "x86_64", ("", ""), "15.2", "there is none for darwin on x86_64"),
        ("win32", "AMD64", ("", ""), "", ""),
        ("win32", "ARM64", ("", ""), "", "there is none for win32 on arm64"),
    ],
)
def test_it_knows_where_the_local_speech_to_text_has_a_wheel(
    installer: ModuleType,
    system: str,
    machine: str,
    libc: tuple[str, str],
    macos: str,
    reason: str,
) -> None:
    """And says in a few words why not, elsewhere."""
    assert installer.lacks_speech_to_text(system, machine, libc, macos) == reason


def test_one_package_is_left_out_of_a_lock(installer: ModuleType) -> None:
    """With its hashes, and nothing else."""
    pins = (ROOT / "requirements.lock").read_text()
    left = installer.without("moonshine-voice", pins)
    assert "\nmoonshine-voice==" in pins
    assert "\nmoonshine-voice==" not in left
    assert left.count("==") == pins.count("==") - pins[pins.index("\nmoonshine-voice==") :].split(
        "# via", 1
    )[0].count("==")
    assert left.count("--hash") < pins.count("--hash")


def test_each_package_is_told_and_long_waits_are(
    installer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Its name, version and size; packages of other platforms are not waited for."""
    monkeypatch.setattr(installer, "TELL_EVERY", 0.1)
    said = (
        "import time\n"
        "print('Ignoring colorama: markers')\n"
        "print('Collecting scipy==1.17.1 (from -r lock (line 3))')\n"
        "print('  Downloading scipy-1.17.1-cp311-cp311-linux.whl (35.6 MB)', flush=True)\n"
        "time.sleep(0.5)\n"
        "print('Processing /wheels/yarl-1.25.1-py3-none-any.whl (from -r lock (line 4))')\n"
    )
    installer.run([sys.executable, "-c", said], tmp_path, 3)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "    1 of 2 scipy-1.17.1 (35.6 MB)"
    assert lines[1].startswith("    ... scipy-1.17.1 (35.6 MB) for ")
    assert lines[-1] == "    2 of 2 yarl-1.25.1"


def test_what_pip_said_last_is_told_if_it_fails(installer: ModuleType, tmp_path: Path) -> None:
    """And that nothing is lost by trying again."""
    fails = [sys.executable, "-c", "print('no such package'); raise SystemExit(3)"]
    with pytest.raises(installer.InstallError, match="no such package\nit failed; run it again"):
        installer.run(fails, tmp_path)


def test_a_folder_is_weighed_while_it_changes(
    installer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has gone by the time it is looked at weighs nothing."""
    (tmp_path / "big").write_bytes(bytes(3 << 20))
    monkeypatch.setattr(
        installer.os, "walk", lambda _folder: [(str(tmp_path), [], ["big", "gone"])]
    )
    assert installer.megabytes(tmp_path) == 3


def test_the_pythons_are_those_of_the_project(installer: ModuleType) -> None:
    """It refuses the others before anything is fetched."""
    low, high = (".".join(map(str, v)) for v in (installer.OLDEST, installer.TOO_NEW))
    assert f'requires-python = ">={low},<{high}"' in (ROOT / "pyproject.toml").read_text()
