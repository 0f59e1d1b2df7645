"""Where a reply is cut so that it can be spoken while it is being written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.text.sentences import LONGEST, SentenceCutter, sentences
from pipelines.text.words import IDEOGRAPH

WHOLE = [
    "Hello Mr. Smith, this is Dr. Jones.",
    "We open at 9:30 a.m. and close at 10 p.m. on weekdays.",
    "It costs $11.50, or 3.5 percent more.",
    "Write to info@example.com or see www.example.com today.",
    "Take the first left, e.g. at the church, then Main St. goes on.",
    "J. R. Tolkien wrote it in the U.S. edition.",
    "Well... let me see… yes.",
    "It is room No. 5 on the left.",
    "He asked “Really?” and left.",
    "We are (believe me!) closed.",
    "1. Pepperoni pizza.",
    "The version is 1.2.3 now.",
    "Wir sehen uns am 24. November um zehn.",
    "Es kostet ca. 5 Euro, bzw. nichts.",
    "Am 24. ist zu.",
    "Il sig. rossi arriva alle dieci.",
    "A Ph.D. is what she has.",
    "Mon. and Tue. are fine.",
    "See Vol. 3 and Fig. 4, of min. 5 pages.",
    "En los EE. UU. son las diez.",
]
CUT = [
    ("Hello. How are you? Fine!", ["Hello.", "How are you?", "Fine!"]),
    ("Stop! (Now.) Go.", ["Stop!", "(Now.)", "Go."]),
    ('She said "No." Then she left.', ['She said "No."', "Then she left."]),
    ("No. We are closed.", ["No.", "We are closed."]),
    ("So do I. You too?", ["So do I.", "You too?"]),
    ("Really?! Yes.", ["Really?!", "Yes."]),
    ("One\nTwo\n\n\nThree", ["One", "Two", "Three"]),
    ("See www.example.com. Then call.", ["See www.example.com.", "Then call."]),
    ("It is 5. That is all.", ["It is 5.", "That is all."]),
    ("Um 9. Mein Name", ["Um 9.", "Mein Name"]),
    ("Am 9. Ma", ["Am 9.", "Ma"]),
    ("Wir sind im 3. Stock, Sie in der 2. Etage.", ["Wir sind im 3. Stock, Sie in der 2. Etage."]),
    ("Im Haus 5, 3. Etage. Bis dann.", ["Im Haus 5, 3. Etage.", "Bis dann."]),
    ("Sie sind der 3. Anrufer.", ["Sie sind der 3. Anrufer."]),
    ("Am 30.11. um zehn. Danke.", ["Am 30.11. um zehn.", "Danke."]),
    ("Erst am 30.11. Bis dann.", ["Erst am 30.11.", "Bis dann."]),
    ("1. Soup\n2. Salad", ["1. Soup", "2. Salad"]),
    ("  \n ", []),
    # Marks that need no space after them.
    ("我们早上十点开门。你要预订吗？好的！", ["我们早上十点开门。", "你要预订吗？", "好的！"]),
    ("好的!你要预订吗?行.", ["好的!", "你要预订吗?", "行."]),
    ("今日は晴れです！！明日は？！", ["今日は晴れです！！", "明日は？！"]),
    ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
    ("「はい。」と言いました。次です。", ["「はい。」と言いました。", "次です。"]),
    ("『どうぞ。』次の方。", ["『どうぞ。』", "次の方。"]),
    ("《你好！》这本书很好。", ["《你好！》这本书很好。"]),
    ("好的……让我看看。", ["好的……让我看看。"]),
    ("价格是3.5元。版本３．５。", ["价格是3.5元。", "版本３．５。"]),
    ("请写信到 a.b@c.cn。谢谢", ["请写信到 a.b@c.cn。", "谢谢"]),
    ("先付款；再取货。", ["先付款；", "再取货。"]),
    ("ﾊｲ｡ﾄﾞｳｿﾞ｡", ["ﾊｲ｡", "ﾄﾞｳｿﾞ｡"]),
    ("नमस्ते। आप कैसे हैं?", ["नमस्ते।", "आप कैसे हैं?"]),
    ("শুভ সকাল।কেমন আছেন?", ["শুভ সকাল।", "কেমন আছেন?"]),
    ("राम राम॥ जी।", ["राम राम॥", "जी।"]),
    ("هل تريد الحجز؟ نعم، غدا. شكرا", ["هل تريد الحجز؟", "نعم، غدا.", "شكرا"]),
    ("یہ ٹھیک ہے۔شکریہ۔", ["یہ ٹھیک ہے۔", "شکریہ۔"]),
    ("Τι ώρα είναι; Είναι πέντε.", ["Τι ώρα είναι;", "Είναι πέντε."]),
    ("Τι ώρα είναι\u037e Πέντε.", ["Τι ώρα είναι\u037e", "Πέντε."]),
    ("It is open; come in.", ["It is open; come in."]),
    ("Բարեւ: Ինչպես եք:", ["Բարեւ:", "Ինչպես եք:"]),
    ("ሰላም፡፡ እንዴት ነህ፡፡", ["ሰላም፡፡", "እንዴት ነህ፡፡"]),
    ("ሰላም፡ነህ፡፡ደህና", ["ሰላም፡ነህ፡፡", "ደህና"]),
    (
        "« Bonjour. » dit-il. « Ça va ? » Oui.",
        ["« Bonjour. » dit-il.", "« Ça va ? »", "Oui."],
    ),
    (
        "Il dit «\u00a0Oui\u00a0!\u00a0» et part. Bon.",
        ["Il dit «\u00a0Oui\u00a0!\u00a0» et part.", "Bon."],
    ),
    ("am 3. 漢am 3.", ["am 3.", "漢am 3."]),
    ("Turn up the vol. Thanks.", ["Turn up the vol.", "Thanks."]),
    ("It is ten. Yes.", ["It is ten.", "Yes."]),
    ("Բարեւ։ Ինչպես եք։", ["Բարեւ։", "Ինչպես եք։"]),
    ("ሰላም። እንዴት ነህ?", ["ሰላም።", "እንዴት ነህ?"]),
    ("សួស្តី។តើអ្នកសុខសប្បាយទេ?", ["សួស្តី។", "តើអ្នកសុខសប្បាយទេ?"]),
    ("မင်္ဂလာပါ။ နေကောင်းလား။", ["မင်္ဂလာပါ။", "နေကောင်းလား။"]),
    # Spaces between phrases, where there is no mark.
    (
        "สวัสดีค่ะ ร้านเปิดสิบโมงเช้าถึงสองทุ่มทุกวัน ต้องการจองโต๊ะไหมคะ",
        ["สวัสดีค่ะ", "ร้านเปิดสิบโมงเช้าถึงสองทุ่มทุกวัน", "ต้องการจองโต๊ะไหมคะ"],
    ),
    ("คุณ สมชาย มา", ["คุณ สมชาย มา"]),
    ("เปิด 10.00 น. ถึง 20.00 น.", ["เปิด 10.00 น. ถึง 20.00 น."]),
]

texts = st.text(
    st.sampled_from("aIb. .!?…\"')(\n 5No")
    | st.sampled_from("我。」！と．；।ค่ะ ;α")
    | st.characters(),
    max_size=60,
)


def cut(*deltas: str) -> list[str]:
    cutter = SentenceCutter()
    return [s for delta in deltas for s in cutter.feed(delta)] + cutter.flush()


@pytest.mark.parametrize("sentence", WHOLE)
def test_a_stop_that_ends_no_sentence_does_not_cut(sentence: str) -> None:
    """Abbreviations, numbers, addresses, ellipses and asides stay inside their sentence."""
    assert cut(f"{sentence} And so on.") == [sentence, "And so on."]


@pytest.mark.parametrize(("text", "expected"), CUT)
def test_sentences_are_cut_at_their_ends(text: str, expected: list[str]) -> None:
    """Marks and line ends cut; closing quotes and brackets stay with what they close."""
    assert cut(text) == expected


@pytest.mark.parametrize(
    ("so_far", "ready"),
    [
        ("We open at nine. ", ["We open at nine."]),
        ("We open at nine.", []),  # ".30", perhaps
        ("Really?! ", ["Really?!"]),
        ("It is ten. ", ["It is ten."]),
        ("On Mon. ", []),  # "and Tue.", perhaps
        ("On Mon. W", ["On Mon."]),
        ("Dr. ", []),
        ("No. ", []),  # "5", perhaps
        ("A line\n", ["A line"]),
        ("It is 5. T", ["It is 5."]),
        ("Am 5. M", []),  # "ai", perhaps
        ("我们十点开门。", []),  # "」", perhaps
        ("我们十点开门。你", ["我们十点开门。"]),
    ],
)
def test_a_sentence_leaves_as_soon_as_it_is_certain(so_far: str, ready: list[str]) -> None:
    """The white space after a mark suffices where nothing that follows could change it."""
    assert SentenceCutter().feed(so_far) == ready


@given(texts)
@example("i.e. No. 5. a.m. x")
def test_nothing_is_lost(text: str) -> None:
    """The sentences, joined, are the text but for white space; none is empty."""
    found = cut(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() != "" for sentence in found)


@given(texts, st.lists(st.integers(0, 60), max_size=8))
def test_the_cut_of_the_text_makes_no_difference(text: str, at: list[int]) -> None:
    """However a model's pieces fall, the sentences are the same."""
    marks = [0, *sorted(min(n, len(text)) for n in at), len(text)]
    pieces = [text[a:b] for a, b in pairwise(marks)]
    assert cut(*pieces) == cut(*text) == cut(text)


def test_a_text_without_a_mark_is_cut_between_words() -> None:
    """Two thousand words in a row: none is lost, and no piece is longer than a voice takes."""
    text = " ".join(f"word{number}" for number in range(2000))
    found = cut(text)
    assert " ".join(found) == text
    assert all(LONGEST // 2 < len(sentence) <= LONGEST for sentence in found[:-1])


def test_a_long_sentence_is_cut_where_a_speaker_breathes() -> None:
    """At the last comma that is not in its first half."""
    text = "we have " + ", ".join(f"the number {number} of the list" for number in range(30))
    first, *_ = cut(text)
    assert first.endswith("of the list,")
    assert LONGEST - len(first) < 30


@pytest.mark.parametrize(
    ("unit", "whole"),
    [
        ("7", "7"),
        ("漢", "漢"),
        ("ค่", "ค่"),
        ("เก้", "เก้"),
        ("မ္မ", "မ္မ"),
        ("e\u0301\u0302", "e\u0301\u0302"),
        ("\u0301", "\u0301"),
        (".", "."),
    ],
)
def test_what_has_no_words_is_cut_between_characters(unit: str, whole: str) -> None:
    """A letter keeps its marks, unless there are more of them than anybody writes."""
    found = cut(unit * 1000)
    assert "".join(found) == unit * 1000
    assert all(0 < len(sentence) <= LONGEST for sentence in found)
    assert all(sentence.startswith(unit) for sentence in found)


@pytest.mark.parametrize("text", ["我们在这里等您" * 300, "ร้านเปิดทุกวัน" * 300, "नमस्ते जी " * 400])
def test_what_is_spoken_at_once_is_short_in_any_script(text: str) -> None:
    """Within what services take in bytes; of syllables, half a minute."""
    found = cut(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(len(sentence.encode()) <= 1600 for sentence in found)
    if text.startswith("我"):
        assert all(len(sentence) <= LONGEST // IDEOGRAPH for sentence in found)


@given(
    st.lists(st.sampled_from(["a", "word ", ", ", ". ", "No. ", "am 3. ", '."', "...", " ", "\n"])),
    st.sampled_from(["a", "word ", ", and ", "3. ", '."', " ", "e\u0301", "漢", "ค่ะ ", "漢a", "é"]),
    st.integers(1, 500),
    st.lists(st.integers(0, 3000), max_size=8),
)
def test_nor_does_it_where_a_sentence_is_too_long(
    ends: list[str], unit: str, times: int, at: list[int]
) -> None:
    """A bound that is met is met at the same place."""
    text = "".join(ends) + unit * times + "".join(reversed(ends))
    marks = [0, *sorted(min(n, len(text)) for n in at), len(text)]
    pieces = [text[a:b] for a, b in pairwise(marks)]
    found = cut(text)
    assert cut(*pieces) == cut(*text) == found
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(len(sentence) <= LONGEST for sentence in found)


def test_closing_early_closes_the_model() -> None:
    """A listener that stops after one sentence ends the request it came from."""

    async def main() -> None:
        closed = asyncio.Event()

        async def model() -> AsyncGenerator[str, None]:
            try:
                for delta in ("One. ", "Two. ", "Three"):
                    yield delta
            finally:
                closed.set()

        async with aclosing(sentences(model())) as spoken:
            assert await anext(spoken) == "One."
        assert closed.is_set()

    asyncio.run(main())


def test_the_last_words_come_without_a_mark() -> None:
    """What is left when the model stops is a sentence too."""

    async def main() -> list[str]:
        async def model() -> AsyncGenerator[str, None]:
            for delta in ("On", "e. Tw", "o"):
                yield delta

        return [sentence async for sentence in sentences(model())]

    assert asyncio.run(main()) == ["One.", "Two"]
