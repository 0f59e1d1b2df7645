# ruff: noqa: E501 - a sentence a line
"""What callers and agents say of numbers: what is to be taken out, and what only looks like it.

Each line is a language, what is in it (``-`` is nothing), and a sentence in which that stands between
braces. Half of them are held out: rules may be changed for the others, and not for these. Both
were written by the author of the rules, after them. Numbers are made up by their check digits; names are nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SEEN = """
en card | My card number is {4111 1111 1111 1111}.
en card | It's {four one one one, one one one one, one one one one, one one one one}.
en card | Visa, {4012-8888-8888-1881}, expires next year.
en card | {five five five five, five five five five, five five five five, four four four four}
en card | Sure, {3782 822463 10005}.
en card | So that's {forty-one eleven, eleven eleven, eleven eleven, eleven eleven}, is that right?
en card | {quadruple four, 4444, double four double four, 4448}
en card | Keypad: {4111111111111111}#
en card | I have {4111 1111 1111 1111} on file, is that correct?
en code | And the security code is {123}.
de card | Die Karte ist die {vier eins eins eins, eins eins eins eins, eins eins eins eins, eins eins eins eins}.
de card | Ja, {4111 1111 1111 1111}, gültig bis Mai.
fr card | Ma carte, c'est le {4111 1111 1111 1111}.
fr card | {quarante et un onze, onze onze, onze onze, onze onze}
es card | Mi tarjeta es {cuatro uno uno uno, uno uno uno uno, uno uno uno uno, uno uno uno uno}.
it card | La carta è {4111 1111 1111 1111}, grazie.
en iban | My IBAN is {GB29 NWBK 6016 1331 9268 19}.
de iban | Meine IBAN lautet {DE89 3704 0044 0532 0130 00}.
de iban | {D E acht neun drei sieben null vier null null vier vier null fünf drei zwei null eins drei null null null}
fr iban | C'est le {FR14 2004 1010 0505 0001 3M02 606}.
es iban | Mi cuenta es {ES91 2100 0418 4502 0005 1332}.
it iban | {IT60 X054 2811 1010 0000 0123 456}
en email | It's {john dot smith at gmail dot com}.
en email | You can write to {john.smith@example.co.uk}.
en email | my email is {j o h n at example dot org}
en email | {mary underscore jones at outlook dot com}, all lower case.
de email | Meine Adresse ist {peter punkt mueller at web punkt de}.
de email | Schreiben Sie an {p.mueller@firma.de}, bitte.
fr email | C'est {jean tiret pierre arobase orange point fr}.
es email | Es {ana guion bajo lopez arroba gmail punto com}.
it email | La mia mail è {mario punto rossi chiocciola libero punto it}.
en phone | Call me at {202-555-0123}.
en phone | My number is {two oh two, five five five, oh one two three}.
en phone | You can reach me on {+44 20 7946 0958}.
en phone | {plus one, two zero two, five five five, zero one two three}
de phone | Sie erreichen mich unter {030 23125 148}.
de phone | Meine Nummer ist {null eins fünf eins, zweiundvierzig, dreiundzwanzig, elf, acht}.
fr phone | Mon numéro, c'est le {06 12 34 56 78}.
fr phone | {zéro six douze trente-quatre cinquante-six soixante-dix-huit}
es phone | Mi número es el {seis uno dos, treinta y cuatro, cincuenta y seis, setenta y ocho}.
it phone | Il mio numero è {333 1234567}.
en identity | My social security number is {536-90-4399}.
en identity | My social is {five three six, nine oh, four three nine nine}.
en identity | National insurance number {AB 12 34 56 C}.
de identity | Meine Steuer-ID ist die {36 574 261 809}.
fr identity | Numéro de sécurité sociale : {2 55 08 14 168 025 38}.
es identity | Mi DNI es {12345678 Z}.
es identity | {X uno dos tres cuatro cinco seis siete L}
it identity | Il codice fiscale è {RSSMRA85T10A562S}.
en - | A table for four at seven thirty, please.
en - | My order number is 2025550123.
en - | The total is $1,234.50, plus 99 cents.
en - | We are open from 9:00 to 17:30, Monday to Friday.
en - | Your flight leaves on 12/05/2026 at 10:45 from gate 23.
en - | It was built in nineteen eighty-four.
en - | I'd like two of the 40 millimetre and three of the 60.
en - | I'll be at home. It is late.
en - | Meet me at the corner at eight.
en - | The card ending in 1111.
en - | Reference 7 3 3 1 0 4 2 9.
en - | Tracking number 1Z 999 AA1 01 2345 6784.
en - | One, two, three, testing.
de - | Meine Bestellnummer ist 4711 0815 2233.
de - | Das macht 49,90 Euro, also rund fünfzig.
de - | Am dritten zehnten zweitausendsechsundzwanzig um halb acht.
de - | Zimmer 214, zweiter Stock, bis 11 Uhr.
fr - | Ça fait quatre-vingt-dix-sept euros et vingt centimes.
fr - | Nous sommes à la table douze, à vingt heures trente.
fr - | Ma commande porte le numéro 20 48 33 71.
es - | Son cuarenta y dos euros con cincuenta.
es - | El pedido es el 45 67 89 12.
es - | Una mesa para seis a las nueve y media.
it - | Sono quarantadue euro e cinquanta.
it - | Il mio ordine è il 12 34 56 78.
it - | Siamo in sei, alle otto e un quarto.
"""

HELD_OUT = """
en card | Okay the long number is {5105 1051 0510 5100}.
en card | um {four oh one two, eight triple eight, eight triple eight, one double eight one}
en card | It's an Amex, {three seven one four, four nine six three, five three nine eight, four three one}.
en card | Yes: {6011000990139424}
en card | {4222 2222 2222 2} is the old one.
en card | Please charge {4 2 4 2, 4 2 4 2, 4 2 4 2, 4 2 4 2}, thank you.
en code | The three digits on the back are {9 8 7}.
de card | Also {fünf fünf fünf fünf, fünf fünf fünf fünf, fünf fünf fünf fünf, viermal die vier}.
de card | Kreditkarte {5500-0000-0000-0004}.
fr card | Alors : {cinq mille cinq cents} {0000 0000 0004}
fr card | {4970 1000 0000 0014}... non, c'est {4242 4242 4242 4242}.
es card | Apunte: {5555 5555 5555 4444}.
it card | Il numero è {quattro due quattro due, quattro due quattro due, quattro due quattro due, quattro due quattro due}.
en iban | It's {D E eight nine, three seven oh four, oh oh four four, oh five three two, oh one three oh, oh oh}.
de iban | {AT61 1904 3002 3457 3201} bei der Erste Bank.
de iban | Die Kontonummer ist {CH93 0076 2011 6238 5295 7}.
fr iban | {F R un quatre, deux zéro zéro quatre, un zéro un zéro, zéro cinq zéro cinq, zéro zéro zéro un, trois M zéro deux, six zéro six}
es iban | {ES9121000418450200051332}, a nombre de Ana.
it iban | Il mio IBAN: {IT60X0542811101000000123456}.
nl iban | Mijn rekening is {NL91 ABNA 0417 1643 00}.
en email | Send it to {support@my-company.io} and {a.b+c@example.com}.
en email | That would be {k smith 42 at yahoo dot co dot uk}.
en email | {info at example dot com}
en email | it's {sarah dash lee at hotmail dot com} thanks
en email | my address is {tom at g mail dot com}
de email | {anna unterstrich weber ät gmx punkt net}
de email | Das ist {info@müller-bau.de}.
fr email | Mon mail : {claire point dubois arobase gmail point com}
es email | {jose punto garcia arroba hotmail punto es}
it email | {info chiocciola pizzeria trattino roma punto it}
en phone | It's {(415) 555-0132}, my cell.
en phone | Ring me back on {oh two oh, seven nine four six, oh nine five eight}.
en phone | The best number is {4155550132}.
en phone | {+1 415 555 0132}
en phone | text me: {415 555 0132}
de phone | {0151 23456789} ist mein Handy.
de phone | Rufen Sie mich unter {null drei null, zwei drei eins zwei fünf, eins vier acht} an.
de phone | {+49 89 636 48018}
fr phone | Vous pouvez me joindre au {01 42 68 53 00}.
fr phone | mon portable : {zéro sept, quarante-cinq, vingt, onze, quatre-vingt-dix}
es phone | Mi móvil es {612 345 678}.
es phone | {+34 91 123 45 67}
it phone | Mi chiami al {02 1234 5678}.
en identity | It's {536 90 4399}, that's my social.
en identity | My NHS number is {943 476 5919}.
en identity | Her passport number is {533380006}.
de identity | Steueridentifikationsnummer {drei sechs fünf sieben vier zwei sechs eins acht null neun}.
de identity | Meine Sozialversicherungsnummer ist {65 180539 W 012}.
fr identity | {deux cinquante-cinq zéro huit quatorze cent soixante-huit zéro vingt-cinq trente-huit}
es identity | {uno dos tres cuatro cinco seis siete ocho Z}
es identity | NIE {X1234567L}
it identity | {R S S M R A otto cinque T uno zero A cinque sei due S}
en - | My confirmation number is 415 555 0132.
en - | Invoice 4111 1111 was paid.
en - | It's part number 12345678 and we need 12 of them.
en - | The recipe takes 250 grams, 3 eggs and 180 degrees for 45 minutes.
en - | Flight BA 117 on the fourteenth of March, seat 32A.
en - | We were at dot com boom prices, at 99 a share.
en - | Is the number of guests eight or nine?
en - | He lives at 1600 Pennsylvania Avenue, Washington, DC 20500.
en - | Between 2019 and 2023 sales rose from 1,200 to 4,800 and then 5,100.
en - | Version 10.15.7 build 19 H 2026.
en - | at this point me and him agree
en - | Customer number 88 21 40 17 33.
en - | one hundred and twenty people, then two hundred, then three hundred
de - | Die Rechnungsnummer lautet 2026-004711.
de - | Wir sind zu zweit und kommen um viertel nach sieben.
de - | Der Zug fährt um 14 Uhr 32 von Gleis 8.
de - | Postleitzahl 10115, Berlin.
de - | Das kostet eintausendzweihundert Euro im Jahr.
fr - | Le train part à 14 h 32, voie 8.
fr - | Mon dossier est le 2026 114 778.
fr - | C'est au 12, rue de la Paix, 75002 Paris.
fr - | Il y a cent vingt personnes, peut-être deux cents.
es - | Mi código postal es el 28013.
es - | La factura 2026 00 45 de marzo.
es - | Llegamos el 12 de octubre a las 18:30.
it - | La fattura numero 2026 118.
it - | Abito in via Roma 12, 00184 Roma.
it - | Ci vediamo il 3 ottobre alle 19:45.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence, and what is to be taken out of it."""

    language: str
    kind: str
    text: str
    spans: tuple[tuple[int, int], ...]


def sentences(written: str) -> Iterator[Sentence]:
    """Yield the sentences of a list."""
    for line in written.strip().splitlines():
        about, _, marked = line.partition(" | ")
        language, kind = about.split()
        text, spans, begun = "", [], 0
        for part in re.split(r"([{}])", marked):
            if part == "{":
                begun = len(text)
            elif part == "}":
                spans.append((begun, len(text)))
            else:
                text += part
        yield Sentence(language=language, kind=kind, text=text, spans=tuple(spans))
