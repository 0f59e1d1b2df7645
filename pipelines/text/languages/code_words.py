"""What shows that a number is a code, and how numbers of help are said, by language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodeWords:
    """Words around codes and numbers of help: regular expressions, in any case."""

    codes: str
    """What is always spelt: a PIN, however short."""

    numbers: str
    """What may be a number of pieces too ("order 12"): spelt from so many digits on, see below."""

    rooms: str = "(?!)"
    """What is spelt from three digits on in this language: "room 204"."""

    flights: str
    plates: str
    """What is spelt with groups of letters."""

    locators: str
    """What is spelt though it has letters alone: KXQZPF."""

    joins: str
    """Between one of those and its code: "is", "number"."""

    leads: str
    states: str
    """Around what is said of a code, behind the word: "the code *that* I sent you *was*"."""

    joined: str
    """Between two codes: "and"."""

    amounts: str
    """What shows, behind a number, that it is an amount after all: "minutes"."""

    goes_on: str = ""
    """Words of a sentence that goes on behind the number of an order, where a word like "order" is
    a verb too; before others the number counts them. Empty if it is none."""

    is_your: str
    """Between a code and what it is: "1234 is your PIN"."""

    ends: str
    """Before the last digits of a card."""

    ending: str
    """What "**** 1234" is read as; the digits follow."""

    calls: str
    """What shows that a number is called."""

    called: str
    """What shows it behind the number."""

    pairs: str = "(?!)"
    """Numbers to be told something that are said as two of three digits: "118 218"."""

    nouns: str
    """What behind a number shows that it counts: "911 calls", and not "call 911 now"."""

    help: Mapping[str, str] = field(default_factory=dict)
    """Numbers of help that are not said digit by digit, and how they are said."""


def _any(words: str) -> str:
    """Return a pattern for any of ``words``; in each, "_" is a space."""
    return "|".join(words.split()).replace("_", " ")


# fmt: off
ENGLISH = CodeWords(
    codes=_any(r"""
        pins? p\.i\.n\. passcodes? passwords? otp tan cvv cvc zip(?:_code)?
        (?<!dress_)(?<!source_)codes? post_?codes? ibans? bic swift ssn pnr imei vin serials?
        serial_number iccid social_security_number extensions? ext\.? ids? routing_number sort_code
        voucher coupon key_code po_box p\.o\._box
    """),
    numbers=_any(r"""
        accounts? accts?\.? references? ref\.? confirmations? bookings? reservations? orders?
        tickets? cases? invoices? customers? members? memberships? policy claims? tracking parcels?
        shipments? contracts? cards? models? transactions? receipts? licen[cs]es? passports? files?
        records? lockers? incidents? requests? meters? patients? employees? badges?
        deliver(?:y|ies) quotes? quotations? itinerary dossier part loan check cheque permit device
        sku dial text enter key key_in passphrase no\.(?=_(?:is|:))
        (?:use|type|type_in|punch_in|put_in)(?!_[0-9]*(?:00\b|_to_[0-9]))
    """),
    rooms=_any(r"rooms? suites? apartments? units?"),
    flights=_any(r"flights?(?:_(?:no\.|number|code))?"),
    plates=_any(r"""
        (?:licen[cs]e|number|registration)_plates? registrations? plates? tags? vehicle car
        post_?codes? reg
    """),
    locators=_any(r"""
        bookings? confirmations? reservations? references? ref\.? pnr locators? swift bic
        itinerary voucher
    """),
    joins=_any(r"""
        is was are now numbers? no\. num\.? nr\.? # id code pin plate key reads of called
        again ends?_(?:in|with) ending_(?:in|with) for_today today will_be has_been equals
        the_following confirmed locator reference
    """),
    leads=r"for|to|of|from|on|in|at|you|i|we|they|he|she|that|which|the|below|above|sent|just",
    states="is|was|reads",
    joined="and|or|through|to",
    amounts=_any(r"""
        digits? characters? letters? numbers minutes? mins? hours? hrs? days? weeks? months?
        years? seconds? secs? times items? people persons guests nights? miles? points?
        dollars? bucks euros? pounds? cents? pence percent usd eur gbp kg km lbs? square sq
        thousand million billion or_more or_less codes orders rooms of_(?:them|the)
    """),
    goes_on=_any(r"""
        is was has had will would can could should may might must does did and or but so for
        to on in at from by with via as which that if please now today tomorrow yesterday are
        were because then when before after again yet already still not under over into onto
        here there until shipped arrived leaves arrives departs has just correct right instead
        okay ok
    """),
    is_your=r"(?:as |(?:is|was|for) (?:your|the|my|our|a|his|her|their|an) )",
    ends=_any(r"""
        end(?:ing|s|ed)?_(?:in|with|on)(?:_the_digits)?
        (?:card|account|visa|mastercard|amex|debit|credit|phone|number)_end(?:ing|s)
        ending(?=_(?!(?:19|20)[0-9]{2}\b|[0-9]*00\b)[0-9]{4}\b)
        last_(?:four|4|three|3|two|2)(?:_digits)?(?:_(?:is|are|were))?
    """),
    ending="ending in",
    calls=_any(r"""
        call(?:s|ed|ing)? dial(?:s|l?ed|l?ing)? ring(?:ing)? phon(?:e|ed|ing) telephon\w+
        texts? emergency emergencies hotline helpline contact numbers?_(?:is|to_call|for)
        police ambulance nhs fire_brigade fire_department lifeline crisis
    """),
    called=_any(r"""
        emergency emergencies operators? dispatch(?:ers?)? hotline lifeline right_away
        immediately crisis suicide (?:emergency_)?call(?:er)? line
    """),
    nouns=_any(r"""
        (?!(?:always|unless|as|is|was|this|its|has|does|yes|services|across|straightaways)\b)[a-z]{2,}s
        people men women children different more new other old
    """),
)
GERMAN = CodeWords(
    codes=_any(r"""
        pins? pin-?codes? \w*-?codes? passw[oö]rt kennwort otp s?m?tan cvv cvc plz postleitzahl
        ibans? bic swift pnr imei bankleitzahl blz durchwahl seriennummer seriennr\.? geheimzahl
        prüfziffer prüfnummer kennziffer kundennummer bestellnummer auftragsnummer rechnungsnummer
        buchungsnummer buchungscode vorgangsnummer kontonummer kartennummer sendungsnummer
        steuernummer mitgliedsnummer vertragsnummer referenznummer bestätigungsnummer ticketnummer
        versicherungsnummer \w{3,20}nummer \w{3,20}nr\.? \w{3,20}kennung zugangsdaten postfach id
        aktenzeichen zählerstand
    """),
    numbers=_any(r"""
        konto referenz bestätigung buchung reservierung bestellung auftrag ticket fall rechnung
        sendung paket vertrag karte modell akte vorgang police zähler nummer nr\.? schließfach
        geben_sie gib
        (?:verwende|nutze|benutze|tippe)n_sie(?=_(?![0-9]*000,?_)[0-9]{4,8},?_(?:um|zum|zur|ein)(?!\w))
        \w*schlüssel(?!_[0-9]{4}(?![\w-])) bestellungen rechnungen aufträge tickets buchungen
    """),
    flights=_any(r"flug(?:nummer|nr\.?)? flüge?"),
    plates=_any(r"(?:kfz-|auto)?kennzeichen nummernschild fahrzeug wagen auto"),
    locators=_any(r"""
        buchung\w* bestätigung\w* reservierung\w* referenz\w* pnr swift bic aktenzeichen
    """),
    joins=_any(r"""
        ist lautet war sind nummer nr\. # code nun jetzt heute noch_einmal die der das mit
        endet_auf
    """),
    leads=r"für|zum|zur|von|vom|des|der|den|die|das|aus|im|in|am|an|auf|ich|wir|sie|du|ihnen",
    states="ist|lautet|war|lautete",
    joined="und|oder|bis|sowie",
    amounts=_any(r"""
        ziffern? stellen stellig zeichen buchstaben minuten? min stunden? std tagen? tage?
        wochen? monaten? monate? jahren? jahre? sekunden? mal euro cent dollar franken pfund
        prozent kg km meter personen nächten? nächte? stück punkten? tausend millionen grad
        zimmer eur chf usd
    """),
    is_your=(
        r"(?:als |(?:ist|lautet|war|als) "
        r"(?:ihre?|deine?|die|der|das|mein|unsere?|eine?)(?:r|n|m|s)? )"
    ),
    ends=_any(r"""
        end(?:et|end|en|ete)(?:_auf|_mit) mit_der_endung endziffern endnummer
        letzten_(?:vier|4|drei|3|zwei|2)_(?:ziffern|stellen)(?:_(?:sind|lauten))?
    """),
    ending="mit der Endung",
    calls=_any(r"""
        ruf(?:e|en|t)? anruf\w* anzurufen wähl\w* notruf\w* notfall\w* polizei feuerwehr
        rettungsdienst nummer_(?:ist|lautet) hotline telefon\w* alarmier\w*
        bereitschaftsdienst verständig\w* unter_der_$ über_die_$ nummer_$
    """),
    called=_any(r"an\b anrufen wählen notruf erreich\w* alarmieren"),
    nouns=_any(r"""
        (?-i:(?!Notruf|Polizei|Feuerwehr|Sie\b|An\b)[A-ZÄÖÜ])[a-zäöüß]+ neue weitere andere
    """),
    help={
        "116117": "eins eins sechs, eins eins sieben",
        "116116": "eins eins sechs, eins eins sechs",
    },
)
SPANISH = CodeWords(
    codes=_any(r"""
        pins? códigos?(?:_postal(?:es)?)? codigo contraseñas? clave claves otp cvv cvc c\.?p\.?
        ibans? bic swift pnr imei extensi[óo]n ext\.? id número_de_serie nip dni nie nif
        localizador cupón apartado(?:_de_correos)?
    """),
    numbers=_any(r"""
        cuenta referencia ref\.? confirmación reserva reservación pedido orden billete boleto caso
        factura cliente socio póliza seguimiento envío paquete contrato tarjeta modelo transacción
        recibo pasaporte expediente incidencia taquilla trámite ticket serie marque introduzca
        ingrese digite teclee escriba (?:use|usa|utilice)(?=_(?![0-9]*000_)[0-9]{4,8}_para_)
        pedidos facturas reservas n\.?º(?=_(?:es|:))
    """),
    flights=_any(r"vuelos?"),
    plates=_any(r"matrícula placas? patente coche vehículo"),
    locators=_any(r"reserva confirmación referencia localizador pnr swift bic reservación"),
    joins=_any(r"""
        es era son número núm\. n\.?º nro\.? # código ahora de del la el su hoy otra_vez pin
        termina_en reserva pedido cliente verificación confirmación seguridad acceso vuelo
        cuenta referencia
    """),
    leads=r"que|para|de|del|en|por|a|al",
    states="es|era|fue",
    joined="y|e|o|u|a",
    amounts=_any(r"""
        dígitos? cifras? caracteres letras? números minutos? min horas? días? semanas?
        mes(?:es)? años? segundos? veces euros? pesos? dólares céntimos? por_ciento kg km
        kilos? metros? personas? noches? puntos? mil millón millones unidades artículos
        habitaciones eur usd
    """),
    is_your=r"(?:como |(?:es|era|como) (?:su|tu|el|la|mi|nuestro|un) )",
    ends=_any(r"""
        termin(?:a|e|an|ada|ado|adas|ados)_(?:en|con) acab(?:a|an|ada|ado)_en
        últim[oa]s_(?:cuatro|4|tres|3)_(?:dígitos|cifras|números)(?:_(?:son|es))?
    """),
    ending="terminada en",
    calls=_any(r"""
        llam\w* marc(?:a|ar|ando|o|ue|uen|ad) marque\w* telefone\w* emergencias?
        número_(?:es|de_emergencias?) policía ambulancia bomberos urgencias? contact\w*
        avis\w*
    """),
    called=_any(r"de_emergencias? en_caso_de inmediatamente emergencias"),
    nouns=_any(r"""
        (?!(?:es|más|después|entonces|antes|desde|mes|nos|dos|tres|gratis|los|las|sus|tras|apenas)\b)[a-zñáéíóú]{3,}s
    """),
    help={
        "091": "cero noventa y uno",
        "092": "cero noventa y dos",
        "062": "cero sesenta y dos",
        "061": "cero sesenta y uno",
        "016": "cero dieciséis",
        "024": "cero veinticuatro",
        "080": "cero ochenta",
        "085": "cero ochenta y cinco",
        "017": "cero diecisiete",
        "065": "cero sesenta y cinco",
        "066": "cero sesenta y seis",
        "088": "cero ochenta y ocho",
    },
)
FRENCH = CodeWords(
    codes=_any(r"""
        pins? codes?(?:_pin|_postal|_postaux|_secret)? mot_de_passe otp cvv cvc c\.?p\.? ibans? bic
        swift pnr imei poste numéro_de_série identifiant id cedex boîte_postale b\.?p\.? siret
        siren
    """),
    numbers=_any(r"""
        compte référence réf\.? confirmation réservation commande billet dossier facture client
        adhérent police suivi colis contrat carte modèle transaction reçu passeport incident ticket
        casier série compteur demande saisissez entrez tapez composez
        utilisez(?=_(?![0-9]*000_)[0-9]{4,8}_pour_) clé(?!_[0-9]{4}(?![\w-])) commandes factures
        n°(?=_(?:est|:))
    """),
    flights=_any(r"vols?"),
    plates=_any(r"immatricul\w+ plaques? voiture véhicule"),
    locators=_any(r"réservation confirmation référence dossier pnr swift bic"),
    joins=_any(r"""
        est était sont numéro no\. n° nº num\. # code maintenant de du d' la le l' votre
        suivant accès sécurité vérification confirmation client commande réservation dossier
        pin vol compte référence suivi
    """),
    leads=r"que|qu'\w+|pour|de|du|d'\w+|à|au|en|dans|reçu|envoyé",
    states="est|était",
    joined="et|ou|à",
    amounts=_any(r"""
        chiffres? caractères? lettres? numéros minutes? min heures? h jours? semaines? mois
        ans? années? secondes? fois euros? dollars? centimes? francs? pour_cent kg km kilos?
        mètres? personnes? nuits? points? mille millions? unités articles chambres eur chf
    """),
    is_your=r"(?:comme |(?:est|était|comme|en tant que) (?:votre|ton|le|la|mon|notre|un) )",
    ends=_any(r"""
        (?:se_)?termin(?:e|ant|ée?)(?:s)?_(?:par|en) finissant_par finit_par
        (?:quatre|4|trois|3)_derniers_chiffres(?:_(?:sont|:))?
    """),
    ending="se terminant par",
    calls=_any(r"""
        appel\w* compos\w* téléphon\w* urgences? numéro_(?:est|d'urgence) police pompiers samu
        joign\w* contact\w* faites fais alert\w* tapez
    """),
    called=_any(r"en_cas_d' en_urgence immédiatement urgences? gratuitement"),
    pairs=r"(?:(?<=\ble )|(?<=\bau )|(?<=\bdu ))118 ?[0-9]{3}(?! (?:000|[0-9]))",
    nouns=_any(r"""
        (?!(?:si|dans|mais|sans|plus|depuis|puis|pas|vous|nous|les|des|dès|après|alors|sous|gratuits|toujours|jours)\b)[a-zàâçéèêëîïôûù]{3,}s
    """),
    help={
        "112": "cent douze",
        "114": "cent quatorze",
        "115": "cent quinze",
        "116": "cent seize",
        "117": "cent dix-sept",
        "118": "cent dix-huit",
        "119": "cent dix-neuf",
        "110": "cent dix",
        "113": "cent treize",
        "144": "cent quarante-quatre",
        "15": "quinze",
        "17": "dix-sept",
        "18": "dix-huit",
        "101": "cent un",
        "100": "cent",
        "191": "cent quatre-vingt-onze",
        "196": "cent quatre-vingt-seize",
        "197": "cent quatre-vingt-dix-sept",
        "116117": "cent seize, cent dix-sept",
        "116000": "cent seize, zéro zéro zéro",
        "116111": "cent seize, cent onze",
        "3919": "trente-neuf dix-neuf",
        "3939": "trente-neuf trente-neuf",
        "3114": "trente et un quatorze",
        "3117": "trente et un dix-sept",
        "3631": "trente-six trente et un",
        "3977": "trente-neuf soixante-dix-sept",
    },
)
ITALIAN = CodeWords(
    codes=_any(r"""
        pin codic[ei](?:_pin|_fiscale|_postale|_segreto|_cliente)? password otp cvv cvc cap
        c\.a\.p\. ibans? bic swift pnr imei interno int\. numero_di_serie id matricola
        parola_d'ordine casella_postale partita_iva
    """),
    numbers=_any(r"""
        conto riferimento rif\.? conferma prenotazione ordine biglietto pratica fattura cliente
        socio polizza spedizione pacco contratto carta tessera modello transazione ricevuta
        passaporto segnalazione ticket armadietto serie contatore richiesta digiti digita inserisca
        inserisci componga (?:usi|usa|utilizzi)(?=_(?![0-9]*000_)[0-9]{4,8}_per_) ordini fatture
        prenotazioni n°(?=_è) chiave
    """),
    flights=_any(r"vol[oi]"),
    plates=_any(r"targhe targa auto veicolo macchina"),
    locators=_any(r"prenotazione conferma riferimento pnr swift bic pratica"),
    joins=_any(r"""
        è era sono numero n\. nr\. n° num\. # codice adesso ora di del della dell' la il l'
        suo oggi seguente verifica conferma sicurezza accesso cliente ordine prenotazione pin
        volo conto riferimento
    """),
    leads=r"che|per|di|del|della|dell'\w+|da|dal|in|a|al",
    states="è|era",
    joined="e|ed|o|a",
    amounts=_any(r"""
        cifr[ea] caratteri letter[ea] numeri minut[oi] min or[ae] giorn[oi] settiman[ea]
        mes[ei] ann[oi] second[oi] volt[ae] euro dollari centesimi franchi per_cento kg km
        chil[oi] metri person[ae] notti? punti mila milion[ei] unità articoli camere pezzi eur
        chf
    """),
    is_your=r"(?:come |(?:è|era|come) (?:il suo|il tuo|la sua|il|la|l'|un|nostro) ?)",
    ends=_any(r"""
        termin(?:a|ante|ano|anti)_(?:con|in|per) (?:che_)?finisc(?:e|ono)_(?:con|per|in)
        ultime_(?:quattro|4|tre|3)_cifre(?:_(?:sono|:))?
    """),
    ending="che termina con",
    calls=_any(r"""
        chiam\w* compon\w* digit\w* telefon\w* emergenz[ae] numero_(?:è|di_emergenza) polizia
        carabinieri ambulanza pompieri vigili contatt\w* soccors\w*
    """),
    called=_any(r"in_caso_di immediatamente subito per_le_emergenze per_emergenze"),
    nouns=_any(r"""
        persone clienti volte chiamate numeri pezzi posti camere utenti pazienti ospiti amici
    """),
    help={
        "113": "centotredici",
        "114": "centoquattordici",
        "115": "centoquindici",
        "117": "centodiciassette",
        "118": "centodiciotto",
        "119": "centodiciannove",
        "144": "centoquarantaquattro",
        "116117": "uno uno sei, uno uno sette",
        "1522": "quindici ventidue",
        "1530": "quindici trenta",
    },
)
# fmt: on

CODE_WORDS: Mapping[str, CodeWords] = {
    "en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH, "it": ITALIAN
}  # fmt: skip
"""By the code of a spoken language."""
