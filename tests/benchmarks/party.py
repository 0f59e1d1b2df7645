"""Calls of several, with real speech, through a service and the stand-in of Sinch: who is answered.

``python -m tests.benchmarks.party [--version v1|v2] [--only WORD] [--repeat N] [--scenarios FILE]
[--answers named|asked] [--model answers|silent|rules] [--save FOLDER] [--heard] [--agent FILE]
[--called NAME]``: a service of its own, with the local models, dials the phones of each call onto
one line (``POST /calls``); they talk as the file has it, and it is printed of each turn whether the
agent did right, and of all how many, with 95 % intervals. Calls are one after the other, in real
time: some four minutes a round. The language model says the same sentence each time, since what is
measured is when the agent speaks; of turns that are left to it, it answers all, stays silent at
all, or gets none, since the rules decide alone. ``VOICE_AGENT_LLM__PROVIDER`` and its options in
the environment have another asked.

The shipped calls are for reporting. What a recognizer made of the agent's name in them was a reason
for the rules of misheard names, so that they say less of these than calls of your own. The names in
``tests/pipelines/turn_taking/data/parties/spoken.yaml`` were in nothing that rules were chosen by.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from agent.simulator.party.party_judging import JudgedTurn, as_text
from agent.simulator.party_stand_in import PartyAtStandIn
from agent.simulator.scenarios.party_calls import PARTIES, PartyScenario, load_parties, voiced
from agent.simulator.sinch.stand_in import StandIn
from agent.simulator.speech import spoken_turns
from tests.agent.process.serving import ServiceProcess, serving
from tests.agent.sinch import schemas
from tests.agent.sinch.credentials import V1, V2
from tests.agent.sinch.stories import TOKEN, free_port
from tests.benchmarks import party_models
from tests.benchmarks.party_models import MODELS

AGENT = """---
greeting: "Hello, this is {called}."
party:
  called: [{called}]
  answers: {answers}
  announces: joined
---
You are {called}, of a bakery. Answer in one short sentence.
"""

LOCAL = {
    "STT__PROVIDER": "moonshine",
    "TTS__PROVIDER": "piper",
    "VAD__GATE": "webrtcvad",
    "VAD__JUDGE": "silero",
    "TURNS__MODEL": "smart-turn",
}
"""Settings: this machine's models for hearing and speaking."""

RATE = 8000
FIRST = "+15550150100"
"""Number of the first phone: of nobody."""

LASTS_AT_MOST = 180.0
"""Seconds of a call."""


def environment(version: str, model: str, url: str, port: int) -> dict[str, str]:
    """Return the settings of a service whose Sinch is at ``url``."""
    account = {
        "API": version,
        "APPLICATION_KEY": V1.key_id,
        "APPLICATION_SECRET": V1.secret,
        "PROJECT_ID": "project",
        "SERVICE_ID": V2.key_id,
        "SERVICE_SECRET": V2.secret,
        "ACCESS_KEY": "access",
        "ACCESS_SECRET": "secret",
        "API_URL": url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CALLER_ID": "+12025550100",
        "DIALLING__NUMBERS": '["+1555*"]',
    }
    ours = {f"SINCH__{name}": value for name, value in account.items()}
    ours |= {"SERVER__PORT": str(port), "SERVER__RATE": str(RATE), "OPERATOR__TOKEN": TOKEN}
    usual = LOCAL | {"LLM__PROVIDER": f"{party_models.__name__}:{MODELS[model].__name__}"}
    given = {
        name: value for name, value in usual.items() if f"VOICE_AGENT_{name}" not in os.environ
    }
    return ours | given


async def hold(
    scenario: PartyScenario, standin: StandIn, service: ServiceProcess, given: argparse.Namespace
) -> list[JudgedTurn]:
    """Have a call dialled and held; return what came of its turns."""
    made = await voiced(scenario, given.called, RATE, spoken_turns)
    party = PartyAtStandIn(made, FIRST)
    standin.begin_again(party.phones())
    to = [{"to": number, "title": name} for name, number in party.numbers.items()]
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{service.base}/calls",
            json={"to": to, "agent": "reception"},
            headers={"authorization": f"Bearer {TOKEN}"},
        ) as response,
    ):
        if response.status not in (200, 201, 202):
            raise SystemExit(f"POST /calls: {response.status} {await response.text()}")
    async with asyncio.timeout(LASTS_AT_MOST):
        turns = await party.over(standin)
    if given.save is not None:
        party.save(standin, given.save / scenario.name)
    return turns


async def measure(given: argparse.Namespace, scenarios: Sequence[PartyScenario]) -> None:
    port = free_port()
    standin = StandIn(
        f"http://127.0.0.1:{port}/sinch", v1=V1, v2=V2, check=schemas.check, rate=RATE
    )
    agent = AGENT.replace("{called}", given.called).replace("{answers}", given.answers)
    if given.agent is not None:
        agent = given.agent.read_text(encoding="utf-8")
    found: list[JudgedTurn] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            standin.running() as url,
            serving(
                Path(folder), environment(given.version, given.model, url, port), agent_file=agent
            ) as service,
        ):
            for _ in range(given.repeat):
                for scenario in scenarios:
                    known = len(service.lines("caller"))
                    turns = await hold(scenario, standin, service, given)
                    right = sum(turn.right for turn in turns)
                    print(f"{scenario.name}: {right} of {len(turns)}", flush=True)
                    for heard in service.lines("caller")[known:] if given.heard else ():
                        to = [heard.get("to", "agent"), heard.get("told_by", "nobody else there")]
                        print(f"  {heard['text']!r}: {', '.join(to)}")
                    found += turns
            for fault in standin.faults:
                print(f"fault: {fault}")
    print(as_text(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--version", choices=("v1", "v2"), default="v1")
    parser.add_argument("--only", default="", metavar="WORD", help="calls with this in their name")
    parser.add_argument("--repeat", type=int, default=1, metavar="N")
    parser.add_argument("--scenarios", type=Path, default=PARTIES, metavar="FILE")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="what each said and heard")
    parser.add_argument("--model", choices=MODELS, default="answers")
    parser.add_argument("--answers", choices=("named", "asked"), default="asked")
    parser.add_argument("--heard", action="store_true", help="print what was heard, and to whom")
    parser.add_argument(
        "--agent", type=Path, metavar="FILE", help="an agent file, which listens to NAME"
    )
    parser.add_argument("--called", default="Clara", metavar="NAME", help="the agent's name")
    given = parser.parse_args()
    scenarios = [one for one in load_parties(given.scenarios) if given.only in one.name]
    asyncio.run(measure(given, scenarios))


if __name__ == "__main__":
    main()
