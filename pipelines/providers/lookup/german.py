"""German, as callers talk, and what is said to them; ``ss`` stands for a sharp s."""

from __future__ import annotations

from pipelines.providers.lookup.language import QuestionLanguage, Talk

_DAY = r"(tag|abend|woche|wochenende|zeit|sonntag|feierabend)"

_TALK = {
    Talk.GOODBYE: (
        r"auf wieder(hören|sehen|schauen)|wieder(hören|sehen)|tschüss?i?|tschau|ciao|servus$|ade$"
        r"|bis (dann|bald|später|morgen|dahin|die tage)$|mach(en sie)?s gut|gute nacht"
        rf"|(noch )?(einen? )?(schönen?|guten|angenehmen) {_DAY}( noch)?( (ihnen|dir|euch))?$"
        r"|(das|dies) (war|wars|wäre|ist) (dann |auch )?(schon )?alles|das wars?( schon| dann)?$"
        r"|das wars (für heute|schon|dann)|mehr (wollte|brauche) ich (gar )?nicht( wissen)?"
        r"|(sonst )?nichts (mehr|weiter)|ich (muss|muß) (jetzt )?(los|weg|auflegen|weiter)"
        r"|(sie können |bitte )?auflegen|ich bin fertig|ich habe alles"
    ),
    Talk.IDENTITY: (
        r"(sind|bist) (sie|du)( denn| eigentlich| wirklich)? (ein |eine )?(echter? |richtiger? )?"
        r"(mensch|person|roboter|maschine|computer|bot|ki|automat|echt|tonband)"
        r"|(spreche|rede) ich( hier| gerade)? mit (einem|einer) (echten |richtigen )?"
        r"(menschen|person|roboter|maschine|computer|ki|automaten)"
        r"|ist (das|da) (ein |eine )?(mensch|roboter|computer|maschine|ki|tonband|bandansage)"
        r"|wer (sind sie|ist da|bist du|spricht da)|mit wem spreche ich|wie heissen sie"
    ),
    Talk.REPEAT: (
        r"(können|könnten|würden|kannst|könntest) (sie|du)( mir)?( bitte)?"
        r" (das|es|den letzten teil|die letzte \w+|den letzten satz)( bitte)?( noch ?mal| noch"
        r" einmal| nochmals)?( bitte)? (wiederholen|sagen|vorlesen)"
        r"|(das )?(bitte )?noch ?(ein)?mal(s)?( bitte)?$|wiederholen( sie)?( das)?( bitte)?"
        r"|wie war das( noch ?mal| noch einmal)?|was (haben sie|hast du)( gerade| da| eben)? gesagt"
        r"|was (sagten|meinten) sie( gerade| eben)?|(das )?(habe"
        r"|hab) ich (jetzt )?(akustisch )?nicht"
        r"( ganz| richtig)? (verstanden|mitbekommen|gehört)|ich (habe|hab) (sie|das"
        r"|es) (akustisch )?"
        r"nicht( ganz| richtig)? (verstanden|mitbekommen|gehört)|ich (verstehe|höre) (sie"
        r"|das) (so )?"
        r"(nicht|schlecht|kaum)|(bitte )?(etwas |ein bisschen |bisschen )?(langsamer"
        r"|lauter)( bitte)?"
        r"|nicht so schnell( bitte)?"
        r"|(wann|wo|was|wie viel|wie lange|wer)( war das| sagten sie)( noch)?( mal)?$"
        r"|(die |ihre )?(verbindung|leitung)( ist)?( \w+)? (schlecht|mies|gestört|miserabel)"
        r"|es ist( \w+)? (laut|schlecht zu verstehen)( hier)?"
    ),
    Talk.TOPICS: (
        r"was (kann|darf|könnte) ich (sie|dich)?( so| alles)? ?fragen|was (wissen|können) sie"
        r"( denn)?( so| alles)?$|(wobei|womit|wie) können sie (mir )?helfen|können sie mir helfen"
        r"|^(bitte )?hilfe$|was können sie (mir )?(sagen|erzählen)( zu)?"
    ),
    Talk.WAIT: (
        r"(einen|ein|kleinen) (kleinen )?(moment|augenblick|sekunde|minute)( bitte)?"
        r"|moment( mal)?( bitte)?|warten sie( mal)?( bitte)?|sekunde( bitte)?"
        r"|lassen sie mich überlegen"
    ),
    Talk.DONE: r"das (ist|wär|wäre)s?( es)?$|genau das$",
    Talk.WRONG_ANSWER: (
        r"(nein )?(aber )?das (habe ich nicht gefragt|meine?t?e? ich nicht|ist falsch|stimmt nicht)"
        r"|sie haben mich (falsch|nicht) verstanden|danach habe ich nicht gefragt"
    ),
    Talk.NO: (
        r"^(nein|nee|nö|ne|nicht nötig)\b|\b(nein|nee)$|(nein )?danke nein|lassen sie( mal)?"
        r"|keins( von beiden)?|keine( von beiden)?$|schon gut|egal"
    ),
    Talk.YES: (
        r"^(ja|jawohl|jo|jep|genau|richtig|stimmt|korrekt|bitte|sicher|gerne?|natürlich|klar|doch"
        r"|auf jeden fall|unbedingt)( bitte| gerne?| genau)*(?= |$)|\bja( bitte| gerne?)?$|ja bitte"
    ),
    Talk.OKAY: (
        r"^(okay|ok|gut|alles klar|prima|super|toll|perfekt|wunderbar|klasse|in ordnung|passt|schön"
        r"|ach so|aha|verstehe|sehr gut|das ist (gut|super|prima|schön))(?= |$)"
        r"|\b(okay|ok|alles klar|prima|super)$"
    ),
    Talk.THANKS: (
        r"(vielen|herzlichen|schönen|besten|tausend) dank( für \w+( \w+)?)?"
        r"|dank(e|eschön)( schön| sehr| ihnen| dir| vielmals| für \w+( \w+)?)*|(ich )?bedanke mich"
        r"|das (hilft|hat) mir (sehr )?(weiter|geholfen)"
    ),
    Talk.SORRY: (
        r"(wie|was)( bitte)?$|entschuldigung|entschuldigen sie( bitte)?|verzeihung|pardon"
        r"|tut mir leid"
        r"|^(hä|häh|was|wie|nochmal)$"
    ),
    Talk.HELLO: (
        r"hallo|guten (tag|morgen|abend)|grüss (gott|sie|dich)|moin( moin)?|servus|hi|grüezi"
        r"|ist da (jemand|wer)|sind sie (noch )?da"
    ),
}

_ASKS = {
    "duration": (
        r"wie lange (?=dauert|braucht|brauchen|muss|geht)|wie viele (minuten|stunden"
        r"|tage|wochen)"
    ),
    "distance": r"wie weit|nächst(e|en|er|es)",
    "time offen": (
        r"(ihre )?(öffnungs|geschäfts|büro|sprech)zeiten|wie lange (haben|sind|ist) (sie|der"
        r"|die|das)?"
    ),
    "time": (
        r"(bis|ab|von|seit)? ?wann|um wie ?viel uhr|(bis|ab|um) wie ?viel uhr"
        r"|welche (tage|zeiten)"
    ),
    "price": (
        r"wie ?viel (kostet|kosten|zahlt|bezahlt|muss)|wie ?viel|was (kostet|kosten|zahlt"
        r"|bezahlt|macht)"
        r"|kostet|kosten|preise?|wie teuer|teuer|billig|günstig|gebühr(en)?|was (nehmen"
        r"|verlangen) sie"
        r"( denn)?( so)?( für)?"
    ),
    "place": (
        r"wo(hin)?( genau)?|adresse|anfahrt|in welcher strasse|wegbeschreibung|navi"
        r"|wie (komme?|kommt|finde|gelange|fahre) (ich|man|wir)( denn)?( da)?( (zu ihnen|hin"
        r"|dorthin))?"
    ),
    "who": r"wer|wessen|wie heisst|wie heissen",
}

_IDLE = """
der die das den dem des ein eine einen einem einer eines und oder aber auch noch nur schon sehr ganz
so denn doch mal eben halt eigentlich vielleicht bitte danke ich du er sie es wir ihr mich mir dich
dir uns euch ihnen ihn ihm mein meine meinen meinem meiner dein deine ihre ihren ihrem ihrer unser
unsere sein seine ist sind war waren bin bist sei wäre wären wird werden würde würden wurde hat habe
hab haben hätte hätten hatte hast kann können könnte könnten kannst darf dürfen dürfte muss müssen
müsste soll sollte will wollen wollte möchte möchten mag geht gibt gebe geben gehen in im an am auf
aus bei beim mit nach von vom vor zu zum zur für über unter um durch gegen ohne bis ab seit als wie
was welche welcher welches welchen wenn weil dass ob da dort hier hin her man jemand jemanden etwas
irgendwo irgendwas irgendwie alles alle jeder jede jedes kein keine keinen nicht nichts ja nein okay
ok äh ähm hm also gern gerne fragen frage sagen wissen dann jetzt gerade momentan derzeit zurzeit
wieder immer mehr weniger viel viele sowas son sich selbst einfach tag guten hallo eins zwei drei
vier fünf sechs sieben acht neun zehn elf zwölf zwanzig würd hätt wär bräuchte brauche braucht
brauchen
"""

_LIGHT = """
machen macht mache gemacht tun bekommen bekomme kriegen nehmen nimmt bieten anbieten verkaufen
verkauft kaufen suchen suche finden gefunden finde kommen komme kommt vorbeikommen bringen
mitbringen lassen lass stehen sitzen liegen laden geschäft salon praxis haus firma stadt leute
person personen mann frau herr herren damen oma opa mutter vater freund freundin gestern heute
morgen morgens abend abends mittag nacht woche wochen monat jahr jahre stunde minuten uhr zeit
nächste letzte erste früh spät spätestens schnell lang lange kurz gut besser beste schlecht neu neue
neuen neuer alt alte klein kleine kleinen gross grosse andere anderen bestimmte normal normale
möglich wichtig frei teil stück art sorte name nummer thema info information
"""

_DECISIVE = """
absagen stornieren verschieben ändern umtauschen zurückgeben verloren vergessen gestohlen notfall
ausbildung stelle job
"""

_ALIKE = """
offen geöffnet auf öffnen aufhaben zu geschlossen schliessen zuhaben
samstag sonnabend
absagen stornieren abmelden canceln
verschieben verlegen ändern umbuchen
termin reservierung
vereinbaren ausmachen buchen reservieren
parken parkplatz parkplätze auto abstellen
haar haare frisur
haarschnitt schneiden schnitt herrenschnitt damenschnitt
färben farbe haarfarbe tönen
strähne strähnchen
kind kinder tochter sohn baby kinderhaarschnitt
bezahlen zahlen zahlung bargeld
karte kreditkarte girocard
gutschein geschenk geschenkgutschein
hochzeit braut heiraten heirate brautfrisur
bart rasur rasieren bärte
barrierefrei rollstuhl stufen aufzug treppe behindert
hund hunde tier tiere haustier
mensch mitarbeiter jemandem menschen person
sprechen verbinden reden
vergessen verloren liegen
schal mütze schirm jacke handschuhe tasche brille
stelle job arbeit arbeiten ausbildung lehre azubi bilden bewerben
liefern lieferung bringen
wlan internet
vegetarisch fleisch vegan
allergie allergisch gluten laktose
draussen terrasse garten
reparieren reparatur kaputt
mieten leihen verleih ausleihen
schmerz schmerzen weh
versicherung kasse krankenkasse
"""

_INSTEAD = """
montag dienstag mittwoch donnerstag freitag samstag sonntag
heute wochenende feiertag weihnachten
"""

_PHRASES = {
    "offen": r"(geöffnet|offen|aufhaben|aufhat)|auf(?=( haben)?$)|haben( sie)?( \w+){0,3} auf$",
    "geschlossen": r"zu(?=( haben)?$)",
    "montag": r"montags?|jeden montag",
    "dienstag": r"dienstags?",
    "mittwoch": r"mittwochs?",
    "donnerstag": r"donnerstags?",
    "freitag": r"freitags?",
    "samstag": r"samstags?|sonnabends?",
    "sonntag": r"sonntags?",
    "karte": r"(ec|kredit|bank|giro) ?karten?|visa|mastercard|american express|paypal|apple pay",
    "parken": r"park(platz|plätze|en|t|haus)|mein auto (ab|hin)?stellen|stelle ich mein auto ab",
    "absagen": r"sag(e|en)? .{0,30} ab$|(ich )?kann .{0,20} (leider )?nicht( kommen)?$|absagen",
}

GERMAN = QuestionLanguage(
    hello="Guten Tag. Wie kann ich Ihnen helfen?",
    welcome="Gern geschehen.",
    anything_else="Kann ich sonst noch etwas für Sie tun?",
    listening="Bitte, ich höre.",
    all_right="In Ordnung.",
    take_your_time="Lassen Sie sich Zeit.",
    identity="Ich bin ein automatischer Assistent und kein Mensch.",
    not_caught="Entschuldigung, das habe ich nicht verstanden. Können Sie das noch einmal sagen?",
    unsure="Das weiß ich leider nicht.",
    goodbye="Vielen Dank für Ihren Anruf. Auf Wiederhören.",
    which="Was davon meinen Sie?",
    alternatively="Oder:",
    this_one="Meinen Sie:",
    examples="Sie können mich zum Beispiel fragen:",
    talk=_TALK,
    first=r"\b(erste[nrs]?|erstere[ns]?|nummer eins|1|eins)\b",
    second=r"\b(zweite[nrs]?|letztere[ns]?|letzte[ns]?|nummer zwei|2|zwei|andere)\b",
    both=r"\bbeide[ns]?\b",
    joints=r"[.?!,;:]+|\b(?:und|oder|ausserdem|sowie)\b",
    questions=(
        r"(kann|können|könnte|darf|dürfen|muss|soll) (ich|wir|man|sie|er|es|der|die|das)"
        r"|(haben|hätten|machen|sind|gibt|nehmen|verkaufen|suchen|schneiden|bieten) (sie|es)"
        r"|(ist|sind|hat) (der|die|das|es|bei|am|im)|(was|wann|wer|wie|wo)\b|welche[rsn]?|geht"
        r"|bis wann|ab wann|in welche[rm]"
    ),
    tells=(
        r"ich (möchte|will|brauche|bräuchte|hätte|suche|würde|habe|hab|muss|wollte)"
        r"|wir (möchten|wollen|haben)"
    ),
    subject=(
        r"(?:ist|sind|hat|öffnet|schliesst|macht|vom|nummer von|fährt|fahren) (?:der |die |das )?"
        r"(?:nächste |nächster )?(\w+)"
    ),
    follows=(
        r"und|oder|aber|was ist mit|wie ist es mit|wie siehts? \w+ aus|nein|nee|moment|ich meinte?"
        r"|ich meine|doch|dann|auch|okay|ok|entschuldigung"
    ),
    refers=r"das|es|dies|davon|dafür|dazu|dort|da|ihn|die",
    asks=_ASKS,
    phrases=_PHRASES,
    idle=_IDLE,
    light=_LIGHT,
    decisive=_DECISIVE,
    alike=_ALIKE,
    instead=_INSTEAD,
    stemmer="german",
)
