"""Recordings in a bucket: moto's S3 server on this machine, asked by HTTP as Amazon's is."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agent.records.recordings import buckets, finishing
from agent.records.recordings.audio_log import ENDING
from agent.records.recordings.buckets import TRIED, Bucket, BucketError
from agent.records.recordings.finishing import RecordingFinisher
from agent.records.recordings.kept import NoRecordingError, Recordings
from agent.records.recordings.recording_files import RecordingCounts
from agent.records.seals import NoSeal, Seal
from agent.server.checks.outside import outside
from agent.settings import Settings
from agent.settings.errors import SettingsError
from tests.agent.records.test_recording_files import Masked, write

pytest.importorskip("obstore")
moto_server = pytest.importorskip("moto.server")

URL = "s3://calls/recordings"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Address of a server; it has the bucket ``calls``."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    request = urllib.request.Request(f"{address}/calls", method="PUT")  # noqa: S310 - ours
    urllib.request.urlopen(request).close()  # noqa: S310 - ours
    yield address
    server.stop()


@pytest.fixture
def environment(s3: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What whoever runs the service sets."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return monkeypatch


class Process:
    """What a process does about the recordings in a folder."""

    def __init__(self, recordings: Recordings) -> None:
        self.counts = RecordingCounts()
        self.told: list[tuple[str, Mapping[str, object]]] = []
        self.finisher = RecordingFinisher(
            recordings, "flac", self.counts, lambda *one: self.told.append(one)
        )

    def look(self) -> None:
        asyncio.run(self.finisher._see_to_all())

    def close(self) -> None:
        self.finisher._threads.shutdown()


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("seal", [NoSeal(), Masked()])
def test_a_recording_is_moved_and_read_silenced_and_deleted_where_it_is(
    tmp_path: Path, seal: Seal
) -> None:
    """The file goes once the object is there; the record says where."""
    write(tmp_path / f"a.flac{ENDING}", seal)
    recordings = Recordings(tmp_path, seal, URL)
    process = Process(recordings)
    process.look()
    process.close()
    stored, moved = process.told
    assert stored[1]["file"] == "a.flac"
    assert moved == (
        "a",
        {"status": "stored", "file": f"{URL}/a.flac", "began": 0.5, "seconds": 6.0},
    )
    assert not list(tmp_path.iterdir())
    # By another process, which is not told of any bucket.
    elsewhere = Recordings(tmp_path, seal)
    place = elsewhere.find(f"{URL}/a.flac")
    assert b"".join(elsewhere.read(place))[:4] == b"fLaC"
    if not place.sealed:
        assert b"".join(elsewhere.read(place, 1, 4)) == b"LaC"
    sound = elsewhere.sound(f"{URL}/a.flac", 0.5)
    assert (sound.began, len(sound.caller.pcm)) == (0.5, 2 * 6 * sound.caller.rate)
    before = b"".join(elsewhere.read(place))
    recordings.silence("a.flac", [(0.0, 6.0)])
    silent = b"".join(recordings.read(recordings.find("a.flac")))
    assert len(silent) < len(before) / 10
    elsewhere.delete(f"{URL}/a.flac")
    with pytest.raises(NoRecordingError):
        recordings.find("a.flac")


def test_a_bucket_that_is_away_gets_them_when_it_is_back(
    tmp_path: Path, s3: str, environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many processes end meanwhile; nothing is asked of it in each look."""
    monkeypatch.setattr(buckets, "RETRIED_FOR", buckets.RETRIED_FOR / 1000)
    at = [1000.0]
    monkeypatch.setattr(finishing, "now", lambda: at[0])
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("a", "b"):
        write(tmp_path / f"{name}.flac{ENDING}", NoSeal())
    process = Process(Recordings(tmp_path, NoSeal(), URL))
    asked = 0
    while at[0] < 1000.0 + 3600.0:
        process.look()
        at[0] += finishing.LOOK_EVERY
    asked = process.counts.move_failures
    assert 10 <= asked <= 25, "at once, then less and less often"
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["a.flac", "b.flac"]
    process.close()
    environment.setenv("AWS_ENDPOINT_URL", s3)
    after = Process(Recordings(tmp_path, NoSeal(), URL))
    after.look()
    after.close()
    assert after.counts.moved == 2
    assert not list(tmp_path.iterdir())
    assert {fields["began"] for _, fields in after.told} == {0.5}


@pytest.mark.usefixtures("environment")
def test_what_changes_while_it_is_moved_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silenced meanwhile: the silent one is moved. Deleted meanwhile: nothing is there."""
    recordings = Recordings(tmp_path, NoSeal(), URL)
    put = Bucket.put

    def meanwhile(change: str) -> None:
        write(tmp_path / f"c.flac{ENDING}", NoSeal())

        def slow(bucket: Bucket, name: str, path: Path, content_type: str) -> None:
            put(bucket, name, path, content_type)
            if change == "silenced":
                recordings.silence("c.flac", [(0.0, 99.0)])
            else:
                recordings.delete("c.flac")

        monkeypatch.setattr(Bucket, "put", slow)
        process = Process(recordings)
        process.look()
        monkeypatch.setattr(Bucket, "put", put)
        process.look()
        process.close()

    meanwhile("silenced")
    place = recordings.find("c.flac")
    assert place.bucket is not None
    assert place.size < 10_000
    recordings.delete("c.flac")
    meanwhile("deleted")
    with pytest.raises(NoRecordingError):
        recordings.find("c.flac")


def test_mistakes_are_told_without_keys(environment: pytest.MonkeyPatch) -> None:
    """A bucket that is not there, and a key that is wrong, are no surprise in the log."""
    with pytest.raises(BucketError) as told:
        Bucket("s3://no-such-bucket").put("a", Path(__file__), "text/plain")
    assert "secret" not in str(told.value)
    assert len(str(told.value)) <= 200
    environment.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(SettingsError, match="az://container"):
        Bucket("az://container")


@pytest.mark.usefixtures("environment")
def test_check_live_finds_a_bucket_that_takes_nothing_and_a_webhook_that_is_away() -> None:
    """Before a call is recorded for nobody; a bucket that does leaves nothing behind."""
    away = {"url": "http://127.0.0.1:9/", "secret": "whsec_" + "A" * 32, "events": ["call.ended"]}
    for bucket, places in (
        (URL, ["webhooks.crm.url"]),
        ("s3://nobody/s", ["recording.store", "webhooks.crm.url"]),
    ):
        given = {"recording": {"store": bucket}, "webhooks": {"crm": away}}
        found = list(outside(Settings.model_validate(given)))
        assert [one.place for one in found] == places
        assert "secret" not in str(found)
    assert Bucket(URL).size(TRIED) is None
