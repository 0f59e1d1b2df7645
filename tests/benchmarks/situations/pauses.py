"""The caller pauses: inside a sentence, at an unfinished point, between digits and letters."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.benchmarks.situations.caller import Turn, after_quiet
from tests.benchmarks.situations.held import Held, Plan
from tests.benchmarks.situations.situation import Bank, Figures, Judge, Situation
from tests.benchmarks.situations.speech import (
    FRAME,
    RATE,
    Speech,
    Word,
    in_half,
    is_unfinished,
    joined,
    loudness,
    quiet_points,
    spread,
)

LENGTHS = (0.3, 0.5, 0.8, 1.2, 1.6)
PAUSE = 2.4
"""Seconds that the caller pauses for: whatever sounds until then tells of all shorter pauses."""

GREETING = {
    "en": "Hello. What can I do for you?",
    "es": "Hola. ¿En qué le puedo ayudar?",
    "fr": "Bonjour. Que puis-je faire pour vous ?",
    "it": "Buongiorno. Come posso aiutarla?",
}
REPLY = {
    "en": ("All right, I see what you mean.",),
    "es": ("De acuerdo, entiendo lo que dice.",),
    "fr": ("D'accord, je vois ce que vous dites.",),
    "it": ("Va bene, capisco quello che dice.",),
}


def _plan(bank: Bank, speech: Speech, lasts: float, delay: float | None = None) -> Plan:
    return Plan(
        greeting=GREETING[bank.language],
        replies=REPLY[bank.language],
        turns=[Turn(speech=speech, when=after_quiet(0.6, sentences=2))],
        lasts=lasts,
        done=lambda line: (
            bool(line.said)
            and line.now > line.said[-1].began + 0.5
            and line.sound_between(line.said[-1].began + 0.3, line.now) is not None
        ),
        delay=delay,
    )


def inside_sentences(bank: Bank) -> Iterator[Situation]:
    """Yield pauses at the quiet points of sentences."""
    for speech in spread(bank.sentences(), bank.count(50, 200)):
        for place in quiet_points(speech):
            yield Situation(
                kind="pauses inside sentences",
                key=f"{speech.name} {place:.2f}",
                plan=_plan(bank, speech.part(0, place), PAUSE),
                judge=_waited,
            )


def _waited(held: Held) -> Figures:
    if not held.line.said:
        return {"cut into": None}
    ended = held.line.said[0].ended
    sound = held.line.sound_between(held.line.said[0].began + 0.3, ended + PAUSE)
    waited = PAUSE if sound is None else sound - ended
    return {f"cut into, {length:g} s": waited < length for length in LENGTHS}


def whole_sentences(bank: Bank) -> Iterator[Situation]:
    """Yield sentences that are all that the caller has to say."""
    whole = [one for one in bank.sentences() if bank.language != "en" or one.text[-1] in ".?!"]
    for speech in spread(whole, bank.count(60, 200)):
        yield Situation(
            kind="whole sentences",
            key=speech.name,
            plan=_plan(bank, speech, 4.0),
            judge=_response,
        )


def _response(held: Held) -> Figures:
    line = held.line
    if not line.said:
        return {"no reply": None}
    began, ended = line.said[0].began, line.said[0].ended
    sound = line.sound_between(began + 0.3, ended + 4.0)
    decided = held.of("caller")
    silence = decided[-1]["decided"].get("silence") if decided else None
    early = sound is not None and sound < ended - 0.05
    return {
        "no reply": sound is None,
        "cut into": early,
        "seconds to the reply": None if sound is None or early else sound - ended,
        "silence waited for": None if early else silence,
    }


LATE = (0.8, 1.2, 1.6)


def at_unfinished_points(bank: Bank) -> Iterator[Situation]:
    """Yield pauses after words that nothing ends with, for a quick and for a slow transcriber."""
    found: list[Speech] = []
    for speech in bank.sentences():
        for word in speech.words[1:-2]:
            if is_unfinished(word.text, bank.language) and word.ended > 0.5:
                part = speech.part(0, _dip(speech, word))
                found.append(Speech(name=speech.name, samples=part.samples, words=part.words))
                break
    for name, speech in sorted(bank.all().items()):
        fragment = 2 <= len(speech.words) <= 12 and is_unfinished(speech.text, bank.language)
        if fragment and in_half(name, bank.half):
            found.append(speech)
    for speech in spread(found, bank.count(30, 80)):
        for delay in (0.05, 0.5):
            yield Situation(
                kind="late words",
                key=f"{speech.name} {delay:g}",
                plan=_plan(bank, _without_the_end(speech), 1.8, delay=delay),
                judge=_late(delay),
            )


def _dip(speech: Speech, word: Word) -> float:
    """Return the quietest moment near the end of a word."""
    rms = loudness(speech.samples)
    low = max(0, int((word.ended - 0.06) * RATE / FRAME))
    high = min(len(rms), int((word.ended + 0.06) * RATE / FRAME) + 1)
    return (low + int(rms[low:high].argmin()) + 0.5) * FRAME / RATE


def _without_the_end(speech: Speech) -> Speech:
    words = [*speech.words]
    words[-1] = Word(
        text=words[-1].text.strip(".…").strip() or words[-1].text,
        began=words[-1].began,
        ended=min(words[-1].ended, speech.seconds),
    )
    return Speech(name=speech.name, samples=speech.samples, words=tuple(words))


def _late(delay: float) -> Judge:
    def judge(held: Held) -> Figures:
        if not held.line.said:
            return {"cut into": None}
        began, ended = held.line.said[0].began, held.line.said[0].ended
        sound = held.line.sound_between(began + 0.3, ended + max(LATE))
        waited = PAUSE if sound is None else sound - ended
        return {f"cut into, {at:g} s, words after {delay:g} s": waited < at for at in LATE}

    return judge


ASKED = {
    "en": {
        "pin": "Thank you. What is your four digit PIN?",
        "year": "Thank you. In which year were you born?",
        "zip": "Thank you. What is your zip code?",
        "phone": "Thank you. What is your telephone number?",
        "name": "Thank you. Could you spell your last name for me?",
    },
    "es": {
        "pin": "Gracias. ¿Cuál es su PIN de cuatro dígitos?",
        "year": "Gracias. ¿En qué año nació?",
        "zip": "Gracias. ¿Cuál es su código postal?",
        "phone": "Gracias. ¿Cuál es su número de teléfono?",
        "name": "Gracias. ¿Puede deletrear su apellido?",
    },
    "fr": {
        "pin": "Merci. Quel est votre code PIN à quatre chiffres ?",
        "year": "Merci. En quelle année êtes-vous né ?",
        "zip": "Merci. Quel est votre code postal ?",
        "phone": "Merci. Quel est votre numéro de téléphone ?",
        "name": "Merci. Pouvez-vous épeler votre nom ?",
    },
    "it": {
        "pin": "Grazie. Qual è il suo PIN di quattro cifre?",
        "year": "Grazie. In che anno è nato?",
        "zip": "Grazie. Qual è il suo codice postale?",
        "phone": "Grazie. Qual è il suo numero di telefono?",
        "name": "Grazie. Può scandire il suo cognome?",
    },
}
GROUPS = {"pin": (4,), "zip": (5,), "phone": (3, 3, 4), "year": (2, 2)}
NAMES = ("smith", "jones", "baker", "miller", "weiss", "garcia", "rossi", "dubois")
WITHIN, BETWEEN = (0.08, 0.28), (0.35, 0.75)
"""Seconds of the gaps between two digits, and between two groups of them."""


def dictated(bank: Bank) -> Iterator[Situation]:
    """Yield numbers digit by digit and names letter by letter, after they were asked for."""
    digits = bank.all()
    if "digits/0" not in digits:
        return
    for number in range(bank.count(6, 20)):
        for what in ("pin", "year", "zip", "phone", "name"):
            key = f"{what} {number}"
            if not in_half(key, bank.half):
                continue
            chance = random.Random(key)
            numerals = what != "name" and number % 2 == 0
            parts = _dictated(digits, what, chance)
            pieces: list[Speech | float] = []
            for group in parts:
                pieces += [] if not pieces else [chance.uniform(*BETWEEN)]
                for place, one in enumerate(group):
                    pieces += [chance.uniform(*WITHIN)] if place else []
                    pieces.append(_as_numeral(one) if numerals else one)
            speech = joined(key, pieces)
            yield Situation(
                kind="numbers and names dictated",
                key=key,
                plan=_plan(bank, speech, 4.0),
                judge=_taken_down(what),
            )
            asked = ASKED[bank.language][what]
            yield Situation(
                kind="numbers and names dictated",
                key=f"{key} asked",
                plan=Plan(
                    greeting=asked,
                    replies=REPLY[bank.language],
                    turns=[Turn(speech=speech, when=after_quiet(0.6, sentences=2))],
                    lasts=4.0,
                    done=lambda line: (
                        bool(line.said)
                        and line.sound_between(line.said[-1].began + 0.3, line.now) is not None
                    ),
                ),
                judge=_taken_down(f"{what}, asked for"),
            )


def _dictated(bank: dict[str, Speech], what: str, chance: random.Random) -> list[list[Speech]]:
    if what == "name":
        letters = [bank.get(f"letters/{one}") for one in chance.choice(NAMES)]
        return [[one for one in letters if one is not None]]
    if what == "year":
        return [[bank["digits/19"], bank[f"digits/{chance.choice((50, 60, 70, 80, 90))}"]]]
    return [[bank[f"digits/{chance.randrange(10)}"] for _ in range(size)] for size in GROUPS[what]]


def _as_numeral(speech: Speech) -> Speech:
    text = speech.name.partition("/")[2]
    word = speech.words[-1]
    return Speech(
        name=speech.name,
        samples=speech.samples,
        words=(Word(text=text, began=speech.words[0].began, ended=word.ended),),
    )


def _taken_down(what: str) -> Judge:
    def judge(held: Held) -> Figures:
        line = held.line
        if not line.said:
            return {"cut into": None}
        began, ended = line.said[0].began, line.said[0].ended
        sound = line.sound_between(began + 0.2, ended + 4.0)
        cut = sound is not None and sound < ended - 0.05
        asked = "asked for" if "asked" in what else "not asked for"
        waited = None if sound is None or cut else sound - ended
        return {
            "cut into": cut,
            f"seconds to the reply, {asked}": waited,
            f"more than 1 s, {asked}": None if waited is None else waited > 1.0,
        }

    return judge
