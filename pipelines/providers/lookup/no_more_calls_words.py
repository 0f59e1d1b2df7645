"""How people say that they want no more calls, by language: to stop, to be taken off, to be let be.

All is written as :func:`pipelines.providers.lookup.no_more_calls.wants_no_more_calls` reads it: in
small letters, without accents, with a straight apostrophe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OptOutWords:
    """Those of one language."""

    wants: re.Pattern[str]
    """What says so, in a sentence."""

    unless: re.Pattern[str]
    """What takes it back, in the words behind it: another time, another phone, a name."""


def _words(wants: Sequence[str], unless: str) -> OptOutWords:
    return OptOutWords(re.compile("|".join(wants)), re.compile(rf"\b(?:{unless})\b"))


_EN_ME = (
    r"(?:me|us|here|this number|(?:my|our) (?:\w+ )?(?:number|phone|mother|father|wife|husband))"
)
_EN_CALLING = r"(?:call|phon|ring|contact|both?er)(?:e|ing)?"
_EN_LISTED = r"(?:me|us|this number|(?:my|our) (?:\w+ )?(?:number|name|details))"
_EN_END = r"(?=$|,| again| any ?more| ever| any further| please| thank)"

_DE_ME = r"(?:mich|uns|hier|(?:diese|meine|unter dieser) (?:telefon|handy)?nummer)"
_DE_NEVER = r"(?:nie|niemals|nicht) (?:mehr|wieder|noch ?mals?|noch einmal)"
_DE_CALL = r"(?:anrufen|anzurufen|kontaktieren|belastigen|telefonieren)"
_DE_LISTED = r"(?:mich|uns|(?:diese|meine|unsere) (?:\w*nummer|daten))"
_DE_LIST = r"(?:aus|von) (?:ihrer|ihrem|der|dem|dieser|euer|eurer)"

_ES_CALL = r"(?:llam|contact|telefone|molest)(?:e|en|es|eis|ar)"
_ES_LIST = r"(?:lista|listas|base|registro|agenda|sistema)"
_ES_TAKE = r"(?:quit|borr|elimin|sa[cq]u?|retir|tach|suprim|d)(?:e|en|a|ar|an|ir|es)"
_ES_NUMBER = r"(?:mi|este|nuestro) (?:numero|telefono|nombre|contacto)|mis datos"

_FR_CALL = r"(?:r?appel|(?:re)?contact|telephon|derang|harcel|sollicit)"
_FR_ME = r"(?:m'|me |nous )"
_FR_TAKE = r"(?:retir|enlev|supprim|ray|effac|radi|biff)"
_FR_LIST = r"(?:votre|vos|la|cette|ces|leur|vo) (?:\w+ )?(?:liste|listes|fichier|fichiers|base)"

_IT_CALL = r"(?:ri)?(?:chiam|telefon|contatt|disturb)"
_IT_WANT = r"(?:voglio|desidero|vorrei|vogliamo)"
_IT_TAKE = (
    r"(?:tog\w{1,5}|cancell(?:i|ate|are|ino)|elimin(?:i|ate|are)|rimuov\w{1,4}"
    r"|depenn\w{1,4}|lev(?:i|ate|are))"
)
_IT_LIST = (
    r"(?:dalla|dal|dai|dalle)(?: \w+)? (?:lista|liste|elenco|elenchi|database|archivio|rubrica)"
)

OPT_OUT_WORDS: Mapping[str, OptOutWords] = {
    "en": _words(
        (
            rf"\b(?:do not|don't|stop|quit|cease) (?:you )?(?:ever |please )*{_EN_CALLING}"
            rf" {_EN_ME}{_EN_END}",
            rf"\b(?<!you )(?<!they )(?<!i )never (?:ever )?{_EN_CALLING} {_EN_ME}{_EN_END}",
            r"\b(?<!did you )(?<!i )(?:stop|quit|cease) (?:calling|phoning|ringing)(?=$|,| please)",
            r"\b(?:stop|cease|end) (?:all |any |these |your |the )+calls\b",
            r"\b(?:do not|don't|no longer) (?:want|wish|like) (?:you )?"
            r"(?:to be (?:called|contacted|phoned|rung)"
            r"|to (?:receive|get|call)|(?:any )?more (?:\w+ ){0,2}calls)",
            r"\b(?<!take )(?<!had )(?<!have )(?<!got )(?:no|any) ?(?:more|further) "
            r"(?:of )?(?:these |your |such |phone |sales )*calls\b",
            rf"\b(?:take|get|remove|delete|strike|erase|cross) {_EN_LISTED} (?:off|from|out of)"
            r"(?! the (?:table|booking|reservation|order))",
            r"\b(?<!did you )(?:delete|remove|erase|lose|forget) (?:my|our|this) (?:phone )?number",
            r"\b(?:put|add|place) (?:me|us|(?:this|my|our) number) (?:on|onto|to) "
            r"(?:your|the|a) (?:do[- ]not[- ]call|no[- ]call|block)",
            r"\bopt(?:ing)? (?:me |us )?out\b|\bunsubscribe\b",
        ),
        "at|on|before|after|until|till|today|tomorrow|tonight|now|this|in|about|back in|a|unless",
    ),
    "de": _words(
        (
            rf"\bruf(?:en|t|e)?(?: sie)?(?: bitte)? {_DE_ME}(?: bitte)? {_DE_NEVER}(?: an)?\b",
            rf"\b(?:kontaktieren|belastigen) sie {_DE_ME}(?: bitte)? {_DE_NEVER}\b",
            rf"\b(?:soll(?:en|t|st)?|durfen|mochte?n?|wollen)\b.{{0,25}} {_DE_NEVER} {_DE_CALL}\b",
            rf"\bhor(?:en sie|t|e)?(?: \w+)? auf,? (?:\w+ ){{0,2}}{_DE_CALL}\b",
            rf"\b(?:verbiete|untersage|bitte)\b.{{0,30}}{_DE_NEVER} {_DE_CALL}\b",
            rf"\b{_DE_NEVER}(?: von ihnen)? (?:angerufen|kontaktiert|belastigt) werden\b",
            r"\b(?:keine|keinerlei) (?:weiteren |ihrer |solchen )?(?:werbe)?anrufe "
            r"(?:mehr|von ihnen)\b",
            r"\bkeine (?:weiteren anrufe|werbeanrufe)\b",
            r"\bunterlassen sie\b.{0,25}\banrufe?n?\b",
            r"\bmit (?:ihren|diesen|den) anrufen in ruhe\b",
            rf"\b(?:streichen|loschen|nehmen|entfernen|tilgen) sie(?: bitte)? {_DE_LISTED}"
            r"(?: bitte)?(?= aus\b| von\b|,|$)",
            rf"\b{_DE_LISTED}(?: bitte)? (?:loschen|streichen|entfernen)\b",
            rf"\b{_DE_LIST} \w+ (?:nehmen|loschen|streichen|entfernen|geloscht|gestrichen|"
            r"genommen|entfernt)\b",
            r"\b(?:auf|in) (?:ihre|die|eine) (?:sperrliste|robinsonliste)\b",
        ),
        "heute|morgen|vor|nach|um|am|auf|so|spat|spater|sondern|zu|bis|erst|diese woche|jetzt",
    ),
    "es": _words(
        (
            rf"\bno (?:me|nos) {_ES_CALL} (?:mas|nunca|jamas|otra vez|de nuevo)(?! tarde)",
            rf"\bno (?:me |nos )?vuelv(?:a|an|as) a {_ES_CALL}(?:me|nos)?\b",
            rf"\bno {_ES_CALL}(?:me|nos)? (?:mas|nunca|jamas|otra vez)(?! tarde)",
            rf"\bno (?:me|nos) {_ES_CALL}(?=$|,)",
            rf"\b(?:dej|par|ces)(?:e|en|a|ar|es) (?:ya )?de {_ES_CALL}(?:me|nos)?\b",
            r"\bno (?:quiero|deseo|queremos|deseamos) (?:recibir )?(?:mas|ninguna|otra|sus) "
            r"(?:\w+ )?llamadas?\b",
            rf"\bno (?:quiero|deseo|queremos) que (?:me|nos) (?:vuelvan a )?{_ES_CALL}\b",
            r"\b(?:no|ni una) mas llamadas?\b|\bbasta de llamadas\b",
            rf"\b{_ES_TAKE}(?:me|nos)? (?:ya )?de (?:su|sus|la|las|esta|vuestra|esa) {_ES_LIST}\b",
            rf"\b{_ES_TAKE} (?:{_ES_NUMBER})\b",
            r"\b(?:dar|de|den)(?:me|nos) de baja\b|\blista robinson\b",
        ),
        "antes|hasta|hoy|manana|por la|a las|al (?:movil|trabajo|fijo)|tan|esta|ahora|entre|despues"
        "|sino|a ella|a el|a menudo|temprano|tarde|los|el (?:lunes|fin)",
    ),
    "fr": _words(
        (
            rf"\b(?:ne |n'){_FR_ME}?{_FR_CALL}(?:ez|e|es) (?:plus|jamais)(?! tard| souvent| tot)",
            rf"\b(?:m'|nous ){_FR_CALL}(?:ez|e) (?:plus|jamais)(?! tard| souvent| tot)",
            rf"\bne (?:plus|jamais) (?:jamais )?{_FR_ME}?{_FR_CALL}er\b",
            rf"\b(?:arret|cess)(?:ez|er|e) (?:de |d'){_FR_ME}?{_FR_CALL}er\b",
            r"\b(?:arret|cess)(?:ez|er|e) (?:ces|vos|les|tous ces) appels\b",
            r"\b(?:veux|voudrais|souhaite|desire|voulons|souhaitons) (?:plus|pas)(?: jamais)? "
            rf"(?:etre {_FR_CALL}ee?s?|(?:recevoir )?(?:d'|aucun |de (?:vos |ces )?)appels?"
            rf"|que vous {_FR_ME}{_FR_CALL}iez)\b",
            r"^plus (?:d'|aucun )appels?\b|\b(?:aucun|pas d') ?appels? de votre part\b",
            rf"\b{_FR_TAKE}(?:ez|er|e)(?:[- ]moi|[- ]nous)? de {_FR_LIST}\b",
            rf"\b{_FR_TAKE}(?:ez|er|e) (?:(?:mon|ce|notre) (?:numero|nom|telephone)|mes \w+nees)\b",
            rf"\betre {_FR_TAKE}ee?s? (?:de|du|des)\b",
            r"\b(?:desinscri(?:re|vez)|desabonn(?:er|ez))\b",
            r"\bliste (?:d'opposition|rouge)\b|\bbloctel\b",
        ),
        "avant|apres|aujourd'hui|demain|ce soir|cette|le matin|le soir|sur|au travail|au bureau|si"
        "|tot|a la|a cette|a midi|pendant|madame|monsieur|mademoiselle|comme",
    ),
    "it": _words(
        (
            rf"\bnon (?:mi |ci )?{_IT_CALL}(?:i|ino|ate|are|a)(?:mi|ci)? (?:mai )?(?:piu|mai)"
            r"(?! tardi| spesso| presto)",
            rf"\bnon {_IT_CALL}ar(?:e|mi|ci) (?:mai )?(?:piu|mai)(?! tardi| spesso| presto)",
            rf"\b(?:smett\w{{1,5}}|pianta\w{{1,5}}|finite?la|finisca) di {_IT_CALL}ar(?:e|mi|ci)\b",
            r"\bbasta (?:con )?(?:le |queste |altre |le vostre )?(?:chiamate|telefonate)\b",
            rf"\bnon {_IT_WANT}(?: piu)?(?: ricevere)?(?: piu)? "
            r"(?:altre |piu |nessuna |vostre |le vostre )?(?:chiamat|telefonat)[ea]\b",
            rf"\bnon {_IT_WANT} (?:piu )?essere "
            r"(?:piu )?(?:(?:ri)?chiamat|contattat|disturbat)[oaie]\b",
            rf"\bnon {_IT_WANT} (?:piu )?che (?:mi|ci) {_IT_CALL}(?:iate|ino|i)\b",
            rf"\b{_IT_TAKE}(?:mi|ci)? {_IT_LIST}\b",
            rf"\b{_IT_TAKE} (?:(?:il )?(?:mio|nostro|questo) "
            r"(?:numero|nominativo|nome|contatto|telefono)|i miei dati)\b",
            rf"\b(?:cancellat|tolt|rimoss|eliminat)[oaie] {_IT_LIST}\b",
            r"\bregistro delle opposizioni\b|\bdisiscriver",
        ),
        "prima|dopo|oggi|domani|stasera|stamattina|fino|al|in ufficio|di sera|di mattina|di notte"
        "|a casa|a quest|tardi|lei|cosi|questa",
    ),
}
"""By the primary subtag of a language."""
