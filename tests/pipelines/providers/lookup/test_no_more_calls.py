"""Whoever wants no more calls is understood without a language model, in five languages."""

from __future__ import annotations

import pytest

from pipelines.conversation import END_CALL, NO_MORE_CALLS, Message, ToolCall, ToolResult
from pipelines.providers.lookup.no_more_calls import opting_out, wants_no_more_calls
from tests.pipelines.providers.lookup.held_out_opt_outs import NEAR_MISSES, OPT_OUTS


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Please don't call me again."),
        ("en", "Take me off your list!"),
        ("en", "I want you to remove my number from your database."),
        ("en", "Stop calling this number."),
        ("en", "No more calls, please."),
        ("de", "Rufen Sie mich bitte nie wieder an."),
        ("de", "Ich möchte nicht mehr angerufen werden."),
        ("de", "Streichen Sie mich bitte von Ihrer Liste."),
        ("de", "Ich will keine weiteren Anrufe."),
        ("de", "Hören Sie endlich auf, hier anzurufen!"),
        ("de", "Würden Sie meine Nummer bitte löschen?"),
        ("en", "Don\u2019t ever call me again!"),
        ("en", "I don't wish to be called anymore."),
        ("en", "Stop calling!"),
        ("es", "No me llamen nunca más."),
        ("es", "No vuelva usted a molestarme, no me llame más."),
        ("es", "No me llame."),
        ("es", "Dejen de molestarme, por favor."),
        ("es", "Retíreme de sus listas."),
        ("es", "Quiten mi teléfono."),
        ("es", "No deseo recibir más llamadas comerciales."),
        ("es", "¡Que no quiero que me llamen!"),
        ("es", "Denme de baja."),
        ("fr", "Ne me téléphonez plus."),
        ("fr", "N\u2019appelez plus jamais ici."),
        ("fr", "Arrêtez d'appeler."),
        ("fr", "Cessez ces appels !"),
        ("fr", "Supprimez-moi de votre fichier."),
        ("fr", "Effacez mon numéro, merci."),
        ("fr", "Je ne souhaite plus être contactée."),
        ("fr", "Veuillez ne plus nous déranger."),
        ("fr", "Inscrivez-moi sur Bloctel."),
        ("it", "Non mi telefoni più."),
        ("it", "Non mi disturbate mai più."),
        ("it", "Smettete di telefonare!"),
        ("it", "Basta con queste telefonate."),
        ("it", "Mi elimini dai vostri elenchi."),
        ("it", "Rimuovete il nostro numero."),
        ("it", "Non voglio ricevere altre telefonate."),
        ("it", "Non desidero essere contattata."),
        ("it", "Sono nel registro delle opposizioni."),
    ],
)
def test_it_is_understood(language: str, said: str) -> None:
    """In words that people use."""
    assert wants_no_more_calls(said, language)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Don't call me at work, call me at home."),
        ("en", "Could you call me back tomorrow?"),
        ("en", "I have not had any calls."),
        ("en", "Please take me to the manager."),
        ("en", "Can you remove the onions from my order?"),
        ("de", "Rufen Sie mich morgen wieder an."),
        ("de", "Ich rufe später noch einmal an."),
        ("de", "Nehmen Sie die Zwiebeln von der Pizza."),
        ("de", "Sie können mich nicht mehr anrufen, ab morgen bin ich weg."),
        ("en", "Don't call me again before Monday."),
        ("en", "I would take no more than two calls a day."),
        ("es", "No me llame tan temprano."),
        ("es", "No me llamen más tarde de las nueve."),
        ("es", "Llámeme mañana otra vez."),
        ("es", "Quite el vino de la cuenta."),
        ("es", "No quiero más vino."),
        ("fr", "Ne m'appelez plus le soir, appelez le midi."),
        ("fr", "Appelez-moi plus tard."),
        ("fr", "Je ne m'appelle plus Dupont."),
        ("fr", "Enlevez le vin de la note."),
        ("fr", "N'appelez pas mon mari."),
        ("it", "Non mi chiami più al lavoro."),
        ("it", "Chiami più tardi."),
        ("it", "Non mi chiami così presto."),
        ("it", "Tolga il vino dal conto."),
        ("it", "Non voglio altro, grazie."),
        ("pt", "Não me ligue mais."),
    ],
)
def test_what_only_sounds_like_it_is_not(language: str, said: str) -> None:
    """Nor is a language that has no phrases."""
    assert not wants_no_more_calls(said, language)


def test_it_is_kept_then_confirmed() -> None:
    """And not confirmed if it could not be kept."""
    said = Message("user", "Take me off your list!")
    (call,) = opting_out([said], "en")
    assert isinstance(call, ToolCall)
    assert call.name == NO_MORE_CALLS
    done = Message("assistant", "", results=(ToolResult(call, "Done."),))
    text, end = opting_out([said, done], "en")
    assert "we will not call you again" in str(text)
    assert end == ToolCall(END_CALL)
    failed = Message("assistant", "", results=(ToolResult(call, "No.", failed=True),))
    assert len(opting_out([said, failed], "en")) == 1


@pytest.mark.parametrize(
    ("language", "understood", "mistaken"),
    [("en", 23, 0), ("de", 24, 1), ("es", 25, 0), ("fr", 25, 0), ("it", 24, 1)],
)
def test_of_what_no_rule_was_chosen_by_as_much_is_understood(
    language: str, understood: int, mistaken: int
) -> None:
    """As when it was measured first, of 25 each; and no more is mistaken for it."""
    found = sum(wants_no_more_calls(said, language) for said in OPT_OUTS[language])
    wrong = sum(wants_no_more_calls(said, language) for said in NEAR_MISSES[language])
    assert found >= understood
    assert wrong <= mistaken


@pytest.mark.parametrize("language", OPT_OUTS)
def test_what_is_kept_is_confirmed_in_their_language(language: str) -> None:
    """Or it is said that it could not be."""
    said = Message("user", OPT_OUTS[language][0])
    (call,) = opting_out([said], language)
    assert isinstance(call, ToolCall)
    for failed in (False, True):
        result = ToolResult(call, "Told.", failed=failed)
        told = opting_out([said, Message("assistant", "", results=(result,))], language)
        assert isinstance(told[0], str)
        assert told[0]
