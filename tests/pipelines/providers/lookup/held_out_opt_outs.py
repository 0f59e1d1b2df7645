"""What people say who want no more calls, and what only sounds like it; no rule is chosen by these.

They were written before the rules for Spanish, French and Italian, and are measured, not mended by:
who looks at a miss and writes a rule for it has to write others here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def _lines(text: str) -> Sequence[str]:
    return tuple(line.strip() for line in text.strip().splitlines())


OPT_OUTS: Mapping[str, Sequence[str]] = {
    "en": _lines("""
        Please don't call me anymore.
        Would you kindly stop calling?
        I don't want any more of these calls.
        Lose my number.
        Don't you ever call here again.
        Take this number off whatever list it is on.
        You need to remove us from your call list.
        I'd like to unsubscribe from these calls.
        Can you delete my number please?
        I do not wish to be contacted again.
        Put me on your do not call list.
        Never call this number again.
        I told you people to stop phoning me.
        Quit calling me.
        I don't want to be called by you.
        Stop ringing my mother, she is ninety.
        Don't bother calling back.
        I want out of your system, no more calls.
        Please cease all calls to this number.
        Get me off your list.
        Do not contact me any further.
        I would like to opt out.
        Don't ring this number again, thank you.
        Erase my number.
        We no longer want to receive calls from you.
    """),
    "de": _lines("""
        Rufen Sie mich bitte nicht mehr an.
        Ich möchte keine Anrufe mehr von Ihnen.
        Hören Sie auf, mich anzurufen.
        Löschen Sie bitte meine Nummer.
        Nehmen Sie mich von Ihrer Liste.
        Ich will nicht mehr angerufen werden.
        Rufen Sie hier nie wieder an.
        Bitte keine weiteren Anrufe.
        Streichen Sie meine Nummer aus Ihrer Kartei.
        Lassen Sie mich mit Ihren Anrufen in Ruhe.
        Unterlassen Sie bitte diese Anrufe.
        Ich verbiete Ihnen, mich noch einmal anzurufen.
        Können Sie mich aus dem Verteiler nehmen?
        Sie sollen mich nicht mehr anrufen.
        Ruf mich nie wieder an.
        Ich wünsche keine Werbeanrufe mehr.
        Entfernen Sie meine Telefonnummer.
        Bitte rufen Sie diese Nummer nicht mehr an.
        Kontaktieren Sie mich nicht mehr.
        Ich möchte von Ihnen nicht mehr kontaktiert werden.
        Setzen Sie mich auf die Sperrliste.
        Rufen Sie uns nicht noch einmal an.
        Ich will aus Ihrer Datenbank gelöscht werden.
        Belästigen Sie mich nicht mehr mit Anrufen.
        Ich habe gesagt, Sie sollen nicht mehr anrufen.
    """),
    "es": _lines("""
        No me llame más, por favor.
        No vuelva a llamarme.
        Quíteme de su lista.
        Borre mi número.
        Deje de llamarme.
        No quiero recibir más llamadas.
        No me vuelvan a llamar nunca.
        Elimine mi teléfono de su base de datos.
        Ya no quiero que me llamen.
        No llamen más a este número.
        Bórrenme de la lista, por favor.
        Les pido que dejen de llamar.
        No deseo que me contacten más.
        Por favor, no más llamadas.
        Sáqueme de la lista de llamadas.
        Quiero que eliminen mi número.
        No nos llamen nunca más.
        No vuelvan a llamar aquí.
        Paren de llamarme.
        Le ruego que no me llame otra vez.
        Quiero darme de baja.
        No quiero más llamadas suyas.
        Que no me llamen más, se lo he dicho mil veces.
        ¿Puede quitar mi número de su lista?
        No me contacte nunca más.
    """),
    "fr": _lines("""
        Ne m'appelez plus, s'il vous plaît.
        Arrêtez de m'appeler.
        Retirez-moi de votre liste.
        Supprimez mon numéro.
        Je ne veux plus être appelé.
        Ne me rappelez plus jamais.
        Je ne souhaite plus recevoir d'appels.
        Enlevez mon numéro de votre fichier.
        Cessez de me téléphoner.
        N'appelez plus ce numéro.
        Ne nous appelez plus.
        Rayez-moi de vos listes.
        Effacez mes coordonnées, je vous prie.
        Plus d'appels, s'il vous plaît.
        Je ne veux plus que vous m'appeliez.
        Ne me contactez plus.
        Pouvez-vous me retirer de votre base de données ?
        Je veux être retiré de la liste.
        M'appelez plus.
        Il faut arrêter de nous appeler.
        Ne rappelez jamais ici.
        Je voudrais me désinscrire.
        Je ne veux plus aucun appel de votre part.
        Je vous demande de ne plus m'appeler.
        Mettez-moi sur votre liste d'opposition.
    """),
    "it": _lines("""
        Non mi chiami più, per favore.
        Non chiamatemi più.
        Mi tolga dalla lista.
        Cancelli il mio numero.
        Smettetela di chiamarmi.
        Non voglio più ricevere chiamate.
        Non mi richiamate mai più.
        Toglietemi dal vostro elenco.
        Non voglio più essere chiamato.
        Basta chiamate, grazie.
        Eliminate il mio numero dal database.
        Non telefonate più a questo numero.
        Non mi contatti più.
        Smetta di telefonarmi.
        Vi prego di non chiamarmi più.
        Cancellatemi dalla vostra lista.
        Non desidero altre telefonate.
        Non chiamate mai più qui.
        Rimuova il mio nominativo, per cortesia.
        Non ci chiami più.
        Può togliere il mio numero dalla lista?
        Non voglio più che mi chiamiate.
        La smetta di chiamare.
        Vorrei essere cancellato dalla lista.
        Non voglio più telefonate da voi.
    """),
}
"""25 of each language."""

NEAR_MISSES: Mapping[str, Sequence[str]] = {
    "en": _lines("""
        Call me again later.
        Don't call her, call me.
        Don't call me before noon.
        Please don't call me on this phone, use my mobile.
        Could you stop calling me Bob? My name is Robert.
        I can't take any more calls this morning, try at two.
        Remove me from the table at eight and put me at nine.
        Can you take one person off the reservation?
        Please do not call me until next week.
        I never called this number.
        Why did you stop calling? I was waiting.
        Don't call me a customer yet.
        I'm on the do not call list of my bank.
        Nobody calls here anymore.
        Can you call again in an hour?
        I get no calls here, the reception is bad.
        Don't contact me by email, call me.
        I don't want to stop the calls, go on.
        Sorry, stop, what is this about?
        Don't hang up, I'll take you to my wife.
        Did you delete my order?
        We never got a call from you.
        Don't call the restaurant, I will.
        I'd like to opt for the later table.
        You may call me at any time.
    """),
    "de": _lines("""
        Rufen Sie mich später noch einmal an.
        Rufen Sie nicht sie an, rufen Sie mich an.
        Rufen Sie mich bitte nicht vor zwölf an.
        Bitte rufen Sie nicht auf dem Handy an, sondern zu Hause.
        Ich rufe Sie wieder an.
        Ich habe heute keine Anrufe bekommen.
        Löschen Sie bitte die Zwiebeln aus der Bestellung.
        Nehmen Sie mich auf die Liste für acht Uhr.
        Können Sie eine Person von der Reservierung streichen?
        Rufen Sie mich erst nächste Woche an.
        Ich kann gerade nicht mehr reden, rufen Sie morgen an.
        Warum rufen Sie nicht mehr an?
        Hier ruft keiner mehr an.
        Haben Sie meine Nummer gelöscht?
        Hören Sie mich? Auf dem Handy rauscht es.
        Sie können mich jederzeit anrufen.
        Rufen Sie mich heute nicht mehr an, morgen passt es.
        Ich wollte Sie nicht mehr so spät anrufen.
        Nicht auflegen, ich hole meine Frau.
        Rufen Sie bitte den Chef an, nicht mich.
        Meine Nummer hat sich geändert.
        Ich stehe nicht mehr auf der Liste, oder?
        Ich möchte nicht warten, rufen Sie mich zurück.
        Rufen Sie mich nicht zu spät an.
        Ich habe keine weiteren Fragen.
    """),
    "es": _lines("""
        Llámeme otra vez más tarde.
        No la llame a ella, llámeme a mí.
        No me llame antes de las doce.
        No me llame al móvil, llámeme a casa.
        Vuelva a llamarme mañana.
        Hoy no he recibido más llamadas.
        Quite la cebolla del pedido.
        Póngame en la lista de las ocho.
        ¿Por qué no me llaman más a menudo?
        No me llame hasta la semana que viene.
        Ahora no puedo hablar, llame luego.
        Yo no llamé a este número.
        No me llamo Carlos.
        ¿Han borrado mi reserva?
        Puede llamarme cuando quiera.
        No cuelgue, ahora se pone mi mujer.
        Nadie llama ya a este teléfono.
        Deje de preocuparse, le llamo yo.
        No quiero más pan, gracias.
        ¿Puede quitar a una persona de la reserva?
        Prefiero que me llamen por la tarde.
        No vuelvo a casa hasta las diez.
        Mi número ha cambiado.
        No me llame hoy, mejor mañana.
        Perdone, no la oigo, ¿puede llamar otra vez?
    """),
    "fr": _lines("""
        Rappelez-moi plus tard.
        Ne l'appelez pas, appelez-moi.
        Ne me rappelez pas avant demain.
        Ne m'appelez pas sur le portable, appelez à la maison.
        Vous pouvez me rappeler demain ?
        Je n'ai pas reçu d'appels aujourd'hui.
        Retirez les oignons de la commande.
        Mettez-moi sur la liste de huit heures.
        Pourquoi ne m'appelez-vous pas plus souvent ?
        Ne m'appelez pas avant la semaine prochaine.
        Je ne peux plus parler, rappelez dans une heure.
        Je n'ai jamais appelé ce numéro.
        Je ne m'appelle pas Martin.
        Avez-vous supprimé ma réservation ?
        Appelez-moi quand vous voulez.
        Ne raccrochez pas, je vous passe ma femme.
        Plus personne n'appelle ici.
        Arrêtez-vous devant la maison, je descends.
        Je ne veux plus de pain, merci.
        Pouvez-vous retirer une personne de la réservation ?
        Je préfère que vous m'appeliez le soir.
        Ne m'appelez plus Madame Durand, je suis divorcée.
        Mon numéro a changé.
        Ne m'appelez plus aujourd'hui, demain c'est mieux.
        Je ne vous entends plus, rappelez-moi.
    """),
    "it": _lines("""
        Mi richiami più tardi.
        Non chiami lei, chiami me.
        Non mi chiami prima di mezzogiorno.
        Non mi chiami al cellulare, mi chiami a casa.
        Può richiamarmi domani?
        Oggi non ho ricevuto altre chiamate.
        Tolga la cipolla dall'ordine.
        Mi metta in lista per le otto.
        Perché non mi chiamate più spesso?
        Non mi chiami fino alla settimana prossima.
        Ora non posso parlare, richiami dopo.
        Non ho mai chiamato questo numero.
        Non mi chiamo Carlo.
        Avete cancellato la mia prenotazione?
        Mi chiami quando vuole.
        Non riattacchi, le passo mia moglie.
        Qui non chiama più nessuno.
        Smetta di preoccuparsi, la chiamo io.
        Non voglio più pane, grazie.
        Può togliere una persona dalla prenotazione?
        Preferisco che mi chiamiate di sera.
        Non mi chiami oggi, meglio domani.
        Il mio numero è cambiato.
        Non la sento più, mi richiami.
        Non mi chiami più tardi delle nove.
    """),
}
"""The same: calls at another time, to somebody else, names, and other lists."""
