"""What a language model writes, as a person reads it out."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.text import rules
from pipelines.text.languages import LANGUAGES, VARIANTS
from pipelines.text.languages.language import SpokenLanguage
from pipelines.text.sentences import LONGEST
from pipelines.text.speakable import BEFORE_MARKUP, MOST_READ, ORDER, speakable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Bold**, *so* and _so_ on", "Bold, so and so on"),
        ("# Hours", "Hours"),
        ("- **Soup**: fresh", "Soup: fresh"),
        ("- [x] done", "done"),
        ("> quoted", "quoted"),
        ("See [our menu](https://example.com/a?b=1).", "See our menu."),
        ("![A plate](plate.png)", "A plate"),
        ("Use `make`.", "Use make."),
        ("| soup | fish |", "soup, fish"),
        ("|---|---|", ""),
        ("Soup<br/>or <b>fish</b>", "Soup or fish"),
        ("Fish &amp; chips", "Fish and chips"),
        ("Great 😀👍🏽 day 🇩🇪", "Great day"),
        ("👨‍👩‍👧", ""),
        ("snake_case stays", "snake case stays"),
        ("***", ""),
        ("", ""),
    ],
)
def test_markup_is_not_read_out(text: str, expected: str) -> None:
    """Markdown, HTML, tables and emoji leave their words."""
    assert speakable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We open at 9:30.", "We open at nine thirty."),
        ("At 9:05 or 9:00?", "At nine oh five or nine o'clock?"),
        ("At 17:00.", "At seventeen hundred hours."),
        ("At 0:15 a.m. sharp.", "At twelve fifteen A M sharp."),
        ("9:00 a.m. to 5:30 P.M. today.", "nine A M to five thirty P M today."),
        ("We close at 5 p.m. Goodbye.", "We close at five P M. Goodbye."),
        ("9–5, 9am-5pm", "nine to five, nine A M to five P M"),
        ("Mon–Fri and Tue.", "Monday to Friday and Tuesday"),
        ("On 2026-11-24.", "On November twenty-fourth, twenty twenty-six."),
        ("11/24/2026", "November twenty-fourth, twenty twenty-six"),
        ("Nov 24, 2026 at 6", "November twenty-fourth, twenty twenty-six at six"),
        ("the 3rd of May", "the third of May"),
        ("May 5th at 6 pm", "May fifth at six P M"),
        ("2026-13-40", "two thousand and twenty-six to thirteen to forty"),
        ("Call 555-0123.", "Call five five five, zero one two three."),
        ("(555) 010-1234", "five five five, zero one zero, one two three four"),
        ("+1 555 010 1234!", "plus one, five five five, zero one zero, one two three four!"),
        ("ZIP 90210, code 0071", "ZIP nine zero two one zero, code zero zero seven one"),
        ("$11.50, or 5€.", "eleven dollars and fifty cents, or five euros."),
        ("$0.05 and $1", "five cents and one dollar"),
        ("$1.5 million", "one point five million dollars"),
        ("£1,250.00", "one thousand two hundred and fifty pounds"),
        ("$3.99/month", "three dollars and ninety-nine cents per month"),
        ("10,000 of 10000 in 2024", "ten thousand of ten thousand in twenty twenty-four"),
        ("Mail info@example.com.", "Mail info at example dot com."),
        ("https://www.example.co.uk/a-b/?x=1.", "example dot co dot uk slash a dash b."),
        ("See example.com!", "See example dot com!"),
        ("50% of R&D", "fifty percent of R and D"),
        ("We are at 12 Main St. Come in.", "We are at twelve Main street. Come in."),
        ("12 Main St. in town", "twelve Main street in town"),
        ("At St. Mary's, No. 5", "At saint Mary's, number five"),
        ("No. We don't.", "No. We don't."),
        ("approx. 2 km, 1 kg", "approximately two kilometers, one kilogram"),
        ("20°C, ½ hour, 1 1/2 cups", "twenty degrees, one half hour, one and one half cups"),
        ("#4, 24/7", "number four, twenty-four seven"),
        ("The 21st, in the 1990s", "The twenty-first, in the nineteen nineties"),
        ("3.5 stars, -5, 3-4", "three point five stars, minus five, three to four"),
        ("1. Pepperoni", "one, Pepperoni"),
        ("Version 3.2.1", "Version three dot two dot one"),
        ("A 4K TV", "A four K TV"),
        ("1234567890123456789", "one two three, four five six, seven eight nine, zero one two, "
         "three four five, six seven eight nine"),
        ("I may call at 5.", "I may call at five."),
        ("Mr. Smith, e.g. him", "Mr. Smith, for example him"),
    ],
)  # fmt: skip
def test_english(text: str, expected: str) -> None:
    """Times, dates, telephone numbers, amounts, addresses, abbreviations."""
    assert speakable(text) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en-GB", "3/4/2026", "April third, twenty twenty-six"),
        ("de", "Um 9:30 Uhr, bis 17 Uhr.", "Um neun Uhr dreißig, bis siebzehn Uhr."),
        ("de", "am 24. November", "am vierundzwanzigsten November"),
        ("de", "24.12.2026", "vierundzwanzigster Dezember zweitausendsechsundzwanzig"),
        ("de-AT", "12,50 €", "zwölf Euro fünfzig"),
        ("de", "1.250 Euro", "eintausendzweihundertfünfzig Euro"),
        ("de", "Mo–Fr von 9-17 Uhr", "Montag bis Freitag von neun bis siebzehn Uhr"),
        ("de", "ca. 5 kg, z. B. Brot", "circa fünf Kilogramm, zum Beispiel Brot"),
        ("de", "1 Std. lang 3,5 %", "eine Stunde lang drei Komma fünf Prozent"),
        ("es", "a las 9:30", "a las nueve y treinta"),
        ("es", "12,50 € o 21 €", "doce euros con cincuenta céntimos o veintiún euros"),
        ("es", "24/11/2026", "veinticuatro de noviembre de dos mil veintiséis"),
        ("fr", "à 9h30 ou 18 h", "à neuf heures trente ou dix-huit heures"),
        ("fr", "1 250 € ou 12,50 €", "mille deux cent cinquante euros ou douze euros cinquante"),
        ("fr", "le 1er mai", "le premier mai"),
        ("fr", "01 23 45 67", "zéro un, deux trois, quatre cinq, six sept"),
        ("it", "La Sig.ra Rossi e la Dott.ssa Verdi.", "La signora Rossi e la dottoressa Verdi."),
        ("it", "P.zza Roma, Sig. Rossi su poste.it", "piazza Roma, signor Rossi su poste punto it"),
        ("nl", "**Vijf** is 5 😀", "Vijf is 5"),
        ("nl", "Druk op # of *, of bel *67.", "Druk op # of *, of bel *67."),
        ("nl", "x < 5 en y >= 3", "x < 5 en y >= 3"),
        ("nl", "Instellingen > Privacy -> Aan, <b, #tip", "Instellingen, Privacy - Aan, b, tip"),
        ("pt", "5 € = 10 CHF", "5 € = 10 CHF"),
        ("pl", "# lub *", "# lub *"),
        ("pl", "# Godziny", "Godziny"),
        ("tr", "# tuşuna basın", "# tuşuna basın"),
    ],
)
def test_other_languages(language: str, text: str, expected: str) -> None:
    """Each reads by its own rules; where there are none, numbers are left to the voice."""
    assert speakable(text, language) == expected


def test_words_are_pronounced_as_the_agent_file_says() -> None:
    """Whole words, in any case, the longest first; numbers within them are not read."""
    table = {"Nguyen": "win", "7UP": "seven up", "SQL": "sequel", "SQL Server": "the server"}
    said = speakable("NGUYEN wants 7up, SQL, SQL Server and MySQL.", pronounce=table)
    assert said == "win wants seven up, sequel, the server and MySQL."


LANGUAGE = st.sampled_from([*LANGUAGES, *VARIANTS, "nl", "", "x"])
TEXT = st.text(
    st.sampled_from("019:.,/-–$€%#@+()[]*_`|<>&\n aAMuhstK°½&;") | st.characters(), max_size=80
)


@given(TEXT, LANGUAGE)
@example("1" * 500, "en")
@example("²٣", "de")
@example("$" + "9" * 400 + ".99", "es")
def test_any_text_can_be_read(text: str, language: str) -> None:
    """Nothing raises; what comes out is one line, and has something to read in it or is empty."""
    said = speakable(text, language)
    assert said == " ".join(said.split())
    assert said == "" or any(char.isalnum() for char in said)


@given(TEXT, st.sampled_from([*LANGUAGES, *VARIANTS]))
def test_no_digit_and_no_markup_is_left(text: str, language: str) -> None:
    """Voices differ in what they make of them."""
    assert not re.search(r"[0-9*_`|#<>\[\]]", speakable(text, language))


@given(st.text("abcdefgh ", max_size=200))
def test_words_stay(text: str) -> None:
    """Plain words are not touched."""
    assert speakable(text, "fr") == " ".join(text.split())


def test_every_kind_of_rule_takes_part_once() -> None:
    """A file of rules that nobody put in their order would be dead."""
    names = {module.name for module in pkgutil.iter_modules(rules.__path__)} - {"rule"}
    kinds = [import_module(f"{rules.__name__}.{name}").RULES for name in sorted(names)]
    assert sorted(map(id, BEFORE_MARKUP + ORDER)) == sorted(map(id, kinds))


@pytest.mark.parametrize(
    "language", [*LANGUAGES.values(), *VARIANTS.values()], ids=[*LANGUAGES, *VARIANTS]
)
def test_rules_are_for_languages_that_there_are(language: SpokenLanguage) -> None:
    """Each is for one of them at least, and compiles in all that it is for."""
    for rule in (rule for kind in BEFORE_MARKUP + ORDER for rule in kind):
        assert set(rule.only) <= set(LANGUAGES)
        if rule.is_for(language):
            rule.for_language(language)


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "ja"])
@pytest.mark.parametrize("unit", ["⅔", "7", "97% ", "777 ", "&", "漢", "word ", "a@b.de "])
def test_no_text_is_longer_than_services_take(unit: str, language: str) -> None:
    """4,096 characters, or 5,000 bytes: whatever a sentence is made of, and a longer text too."""
    for length in (LONGEST, 20_000):
        read = speakable((unit * length)[:length], language, {"word": "one two three four five"})
        assert len(read) <= MOST_READ
        assert length > LONGEST or len(read.encode()) < 5000
