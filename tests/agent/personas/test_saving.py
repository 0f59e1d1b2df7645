"""Agent files that are saved from afar: whole or not at all, and nobody's work is lost."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.personas.errors import PersonaError
from agent.personas.loader import MAX_BYTES, version_of
from agent.personas.saving import ChangedMeanwhileError, NotSavedError, save, text_of

TEXT = "---\ngreeting: Grüße\n---\nBe brief.\n"


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    """A new file, and one that is there; nothing else is left in the folder."""
    version = save(tmp_path, "a", TEXT, "")
    found = text_of(tmp_path, "a")
    assert (found.text, found.version, found.locked, found.unreadable) == (TEXT, version, "", "")
    assert found.changed > 0
    again = save(tmp_path, "a", TEXT.replace("brief", "kind").rstrip(), version)
    assert (tmp_path / "a.md").read_text() == TEXT.replace("brief", "kind")
    assert again == version_of(TEXT.replace("brief", "kind"))
    assert [one.name for one in tmp_path.iterdir()] == ["a.md"]


def test_a_file_stays_as_its_owner_has_it(tmp_path: Path) -> None:
    """Its mode, and the ends of its lines; a byte order mark goes, and no encoding but UTF-8."""
    path = tmp_path / "a.md"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    save(tmp_path, "a", TEXT + "More.", text_of(tmp_path, "a").version)
    assert path.read_bytes() == (TEXT + "More.\n").replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o640


def test_nobody_elses_change_is_lost(tmp_path: Path) -> None:
    """Of two who save the same version, one does; the other is told what is there now."""
    before = save(tmp_path, "a", TEXT, "")
    (tmp_path / "a.md").write_text("theirs\n")
    with pytest.raises(ChangedMeanwhileError) as told:
        save(tmp_path, "a", "mine", before)
    assert (told.value.text, told.value.version) == ("theirs\n", version_of("theirs\n"))
    with pytest.raises(ChangedMeanwhileError):
        save(tmp_path, "a", "mine", "")
    (tmp_path / "a.md").unlink()
    with pytest.raises(ChangedMeanwhileError) as gone:
        save(tmp_path, "a", "mine", before)
    assert gone.value.version == ""

    def one(number: int) -> bool:
        try:
            save(tmp_path, "b", f"{number}", "")
        except ChangedMeanwhileError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(8))) == 1


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".a", "a.md", "ä", "a b", "a\0", "x" * 65])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Nothing is read or written."""
    with pytest.raises(PersonaError):
        save(tmp_path, name, TEXT, "")
    with pytest.raises(PersonaError):
        text_of(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    """What it points to is shown, and left."""
    folder, outside = tmp_path / "prompts", tmp_path / "outside"
    folder.mkdir()
    outside.write_text(TEXT)
    (folder / "a.md").symlink_to(outside)
    (folder / "b.md").symlink_to(tmp_path / "nothing")
    assert "a link" in text_of(folder, "a").locked
    with pytest.raises(NotSavedError, match="a link"):
        save(folder, "a", "mine", version_of(TEXT))
    with pytest.raises(NotSavedError, match="a link"):
        save(folder, "b", "mine", "")
    assert outside.read_text() == TEXT
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe\xff", "not UTF-16"),
        (b"---\ngreeting: \xe4\n", "not UTF-8"),
        (b"x" * (MAX_BYTES + 1), "bytes"),
        (b"a\0b", "NUL"),
    ],
)
def test_what_is_no_text_is_left(tmp_path: Path, content: bytes, why: str) -> None:
    """It is not shown half, and not overwritten."""
    (tmp_path / "a.md").write_bytes(content)
    found = text_of(tmp_path, "a")
    assert why in found.unreadable
    assert (found.text, found.version) == ("", "")
    with pytest.raises(ChangedMeanwhileError):
        save(tmp_path, "a", "mine", "")
    with pytest.raises(NotSavedError):
        save(tmp_path, "a", "mine", "0123")
    assert (tmp_path / "a.md").read_bytes() == content


@pytest.mark.parametrize("text", ["x" * MAX_BYTES + "y", "a\0b", "half \ud800"])
def test_what_no_file_may_be_is_not_saved(tmp_path: Path, text: str) -> None:
    """Too long, or no text."""
    with pytest.raises(NotSavedError):
        save(tmp_path, "a", text, "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["README", "con", "COM1"])
def test_some_names_mean_something_else(tmp_path: Path, name: str) -> None:
    """To people, or to another system."""
    with pytest.raises(NotSavedError, match="not a name"):
        save(tmp_path, name, TEXT, "")


def test_a_file_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    """One of the package, and one in a folder that is not ours to write in."""
    packaged = tmp_path / "site-packages" / "prompts"
    packaged.mkdir(parents=True)
    (packaged / "a.md").write_text(TEXT)
    assert "voice-agent init" in text_of(packaged, "a").locked
    with pytest.raises(NotSavedError, match="voice-agent init"):
        save(packaged, "a", "mine", version_of(TEXT))
    if os.geteuid():
        (tmp_path / "a.md").write_text(TEXT)
        tmp_path.chmod(0o500)
        assert "may not write" in text_of(tmp_path, "a").locked
        tmp_path.chmod(0o700)
    missing = tmp_path / "missing"
    with pytest.raises(NotSavedError):
        save(missing, "a", "mine", "")
