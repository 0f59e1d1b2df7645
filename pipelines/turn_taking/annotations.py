"""What a transcriber says of sounds that are no words: ``[BLANK_AUDIO]``, ``(silence)``, ``♪``."""

from __future__ import annotations

import re

_ANNOTATION = re.compile(
    r"""
    (?P<marks> <\| [^<>|]* \|>                              # <|nospeech|>, <|0.00|>
      | [♪♫♬♩🎵🎶] [^♪♫♬♩🎵🎶]* (?: [♪♫♬♩🎵🎶] | $ )            # what is sung
      | \[ _ \w* \] | \[ \s? \d\d:\d\d [\d:.,]{0,12} \s? (?: --> [^\[\]]* )? \]   # [_TT_50]
      | (?: ^ \d{1,5} \n )? (?<!\d) \d\d:\d\d[\d:.,]{0,12} \s? --> \s? \d\d:\d\d[\d:.,]{0,12} )
    | \[ [^\[\]]* (?: \] | $ ) | 【 [^【】]* (?: 】 | $ ) | ［ [^［］]* (?: ］ | $ )
    | 〔 [^〔〕]* 〕 | 〈 [^〈〉]* 〉 | ＜ [^＜＞]* ＞ | \{ [^{}]* \} | (?P<tag> < [^<>|]+ > )
    | (?P<quoted> 「 [^「」]* 」 | ^ [^\[\]()]{1,40} [\])] $ )  # cut off before its beginning
    | (?P<perhaps> \({1,2} [^()]* (?: \){1,2} | $ ) | （ [^（）]* (?: ） | $ )
      | \*{1,2} [^*]+ \*{1,2} | ^ \*{1,2} [^*\s]{1,20} $ )
    """,
    re.VERBOSE,
)
"""What may be an annotation.

What is in round brackets, or between stars (``perhaps``), is one if it is a sentence of its own:
``(laughs) Yes.``; words may be written so, too: ``Smyth (S-M-Y-T-H)``.
"""

_SOUND = re.compile(
    r"""\b(?: silen|mus[iy]|músi|inaud|unintel|indistinct|unverst|unhör|nois|speech|speaking
      |audio|background|hintergrund|applau|aplau|clap|laugh|chuckl|lach|gelächter|rires?\b|risas?\b|risat
      |cough|hust|tos(?:e|es)?\b|toux|sigh|seufz|breath|atmet|pau[sz]e|blank|cross-?talk|static\b
      |beep|tone\b|ringing|typing|wind\b|chatter|sing(?:s|ing)\b|whisper|geräusch|rauschen|stille
      |schweigen|ruido|bruit|rumor|hum(?:s|ming)?\b|sniff|sneez|groan|gasp|music|nospeech|foreign )
    | музык|тишина|смех|шум|аплод|موسيق|音[楽乐樂]|笑|拍手|掌[声聲]
    | 沈黙|無音|静音|雑音|ノイズ|음악|웃음|박수
    | _audio|_speech|_noise""",
    re.VERBOSE | re.IGNORECASE,
)
"""What transcribers tell of, in the languages that they do."""

_ANSWER = re.compile(
    r"""(?: (?: yes|yeah|yep|no|nope|ok|okay|sure|please|thanks|hello|hi|bye|stop|help|right|correct
      |ja|nein|doch|bitte|danke|genau|hallo|oui|non|si|sí|sì|d['’]accord|merci|bonjour|gracias|vale
      |claro|hola|grazie|pronto|da|да|нет|sim|não|nej|nie|tak|yok|evet|i|i['’]m|i['’]d )
      (?: [^\w'’-] | $ ) | はい|いいえ|ええ|うん|是的?|不是?|好的?|对|네|예|아니 )
    | .*[^.…][.?!。？！]$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""What somebody said, however it is written: an answer, or a sentence with its mark."""

_SPEAKER = re.compile(
    r"(?:v )?(?:speaker|spk|sprecher|locuteur|hablante)[ _]?\w{0,3}", re.IGNORECASE
)
_AROUND = "[]【】［］〔〕〈〉＜＞{}<>「」()（）* "
_CLOSERS = frozenset("]】］〕〉＞}>」)）*")

_ENDS = frozenset(".!?…,;:-–—。！？、)]}）】］>*♪♫♬♩🎵🎶\n\"'„“”‚‘’«»_")
"""Signs after which another sentence, or another annotation, begins."""


def words_of(transcript: str) -> str:
    """Return the words of a transcript, without annotations; ``""`` if it has no word.

    A word has a letter or a digit: neither ``.`` nor ``♪ ♪`` is one. A transcript without
    annotations comes back as it is. Takes time in proportion to its length.
    """
    spoken = _ANNOTATION.sub(_left, transcript)
    if not any(map(str.isalnum, spoken)):
        return ""
    return transcript if spoken == transcript else " ".join(spoken.split())


def _left(found: re.Match[str]) -> str:
    """Return what is left of what may be an annotation."""
    return " " if found["marks"] or _is_one(found) else found[0]


def _is_one(found: re.Match[str]) -> bool:
    inside = found[0].strip(_AROUND)
    if _SOUND.search(inside):
        return found["perhaps"] is None or _stands_alone(found)
    if _SPEAKER.fullmatch(inside):
        return True
    # Figures are words: "(555)", and what a transcriber hides of them: "[CARD_1]".
    figures = any(map(str.isdigit, inside))
    if figures or found["quoted"] or _ANSWER.match(inside):
        return False
    if found["tag"] and " " in inside:
        return False
    if found[0][-1] not in _CLOSERS and any(map(str.isalnum, found.string[: found.start()])):
        return False  # it may go on with words
    return found["perhaps"] is None or _stands_alone(found)


def _stands_alone(found: re.Match[str]) -> bool:
    before = found.string[max(0, found.start() - 3) : found.start()].rstrip()[-1:]
    after = found.string[found.end() : found.end() + 3].lstrip()[:1]
    return (not before or before in _ENDS) and not (after.islower() or after.isdigit())
