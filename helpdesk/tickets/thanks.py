"""Whether a text says thank you and nothing else. Every doubt means no: then the ticket opens again, as others do."""

import re
from collections.abc import Iterable

from helpdesk.tickets.models import Ticket
from helpdesk.tickets.writing import Letter

MOST_CHARACTERS = 160
MOST_WORDS = 14

_WORD = re.compile(r"[^\W\d_]+")
_CALM = re.compile(
    r"(?:[^\W\d_]|[\s.,!\u2026\u3001\u3002\uff01\u2019'\u2013\u2014-]|:-?\)"
    r"|[\U0001F64F\U0001F44D\U0001F60A\u2764\uFE0F])+"
)
_ADDRESS = re.compile(r"\bwww\.|\w\.\w")

# By language: words that thank.
_THANKS = {
    "en": "thanks thank thx cheers appreciated",
    "de": "danke dank dankeschön merci",
    "fr": "merci mercis",
    "es": "gracias agradecido agradecida",
    "it": "grazie ringrazio",
    "pt": "obrigado obrigada agradeço",
    "nl": "bedankt dank dankjewel dankuwel",
    "sv": "tack tackar",
    "da": "tak takker",
    "no": "takk takker",
    "fi": "kiitos kiitokset kiitän",
    "pl": "dziękuję dzięki dziękujemy",
    "cs": "děkuji díky děkuju děkujeme",
    "ru": "спасибо благодарю",
    "zh": "谢谢 谢谢你 谢谢您 多谢 非常感谢 感谢 謝謝 謝謝您 多謝 非常感謝",
    "ja": "ありがとう ありがとうございます ありがとうございました",
}
# And words that may stand around them: none of these asks, denies or adds anything.
_AROUND = {
    "en": (
        "you so very much many a lot again all for the your quick fast kind help answer reply response "
        "correction correcting fixing explaining explanation it that this great perfect wonderful lovely best "
        "warm regards wishes greetings dear hi hello ok okay good i really appreciate to and team"
    ),
    "de": (
        "vielen herzlichen herzliche lieben besten schönen sehr schön für die das den ihre eure deine "
        "schnelle freundliche antwort hilfe rückmeldung korrektur auskunft und alles gute viele liebe beste "
        "freundliche freundlichen mit grüße grüßen gruß hallo liebe lieber guten tag ok prima super perfekt "
        "nochmals noch mal"
    ),
    "fr": (
        "beaucoup bien infiniment à vous toi pour votre ta la le réponse rapide aide correction et encore "
        "mille bonjour cordialement bonne journée parfait super très cher chère"
    ),
    "es": (
        "muchas muchísimas mil por la su tu respuesta rápida ayuda corrección y de nuevo todo un saludo "
        "saludos cordial hola perfecto estimado estimada"
    ),
    "it": (
        "mille molte tante infinite per la sua tua risposta rapida aiuto correzione e ancora di tutto "
        "cordiali saluti saluto buona giornata ciao buongiorno perfetto gentile"
    ),
    "pt": (
        "muito muitíssimo pela pelo a sua resposta rápida ajuda correção e mais uma vez tudo cumprimentos "
        "abraço olá bom dia perfeito"
    ),
    "nl": (
        "hartelijk heel erg veel u je wel voor het uw jouw snelle antwoord reactie hulp correctie de en "
        "nogmaals vriendelijke groet groeten met hallo beste prima top"
    ),
    "sv": "så mycket för ert ditt snabba svar hjälpen rättelsen och än en gång hej hälsningar vänliga med bra",
    "da": "mange tusind så meget for det jeres dit hurtige svar hjælpen rettelsen og igen hej hilsen venlig med",
    "no": ("mange tusen så mye for det deres ditt raske svaret svar hjelpen rettelsen og igjen hei hilsen vennlig med"),
    "fi": "paljon oikein nopeasta vastauksesta avusta korjauksesta ja vielä hei terveisin ystävällisin",
    "pl": "bardzo serdecznie za szybką odpowiedź pomoc poprawkę i jeszcze raz pozdrawiam dzień dobry",
    "cs": "moc mockrát velmi za rychlou odpověď pomoc opravu a ještě jednou s pozdravem dobrý den",
    "ru": ("большое огромное вам вас за быстрый ответ помощь исправление и ещё еще раз всего доброго здравствуйте"),
    "zh": "您好 你好 您的回复 你的回复",
    "ja": "どうも 本当に 早速のご返信",
}
_LIKE = {"nb": "no", "nn": "no"}


def is_only_thanks(ticket: Ticket, letter: Letter) -> bool:
    """True when a closed ticket can stay closed, since its site wants that and nothing but thanks was said."""
    may_be = ticket.is_closed and not ticket.is_spam and letter.verified and not letter.files
    if not (may_be and ticket.site.files_thanks):
        return False
    names = (letter.from_name, ticket.queue.sender_name, ticket.assignee.name if ticket.assignee else "")
    return says_only_thanks(letter.body_text, language=ticket.language, names=names)


def says_only_thanks(text: str, *, language: str, names: Iterable[str] = ()) -> bool:
    """True for a short text that thanks in `language` (such as de or de-AT) or in English, and says nothing more.

    `names` are those of people who may stand in it. A question mark, a digit, an address, or a word that is on no
    list makes it more than thanks.
    """
    said = text.strip()
    if len(said) > MOST_CHARACTERS or not _CALM.fullmatch(said) or _ADDRESS.search(said):
        return False
    found = [word.lower() for word in _WORD.findall(said)]
    named = {word.lower() for name in names for word in _WORD.findall(name)}
    code = language.partition("-")[0].lower()
    return len(found) <= MOST_WORDS and any(_is_thanks(found, one, named) for one in (_LIKE.get(code, code), "en"))


def _is_thanks(found: list[str], code: str, named: set[str]) -> bool:
    thanks, around = (set(words.get(code, "").split()) for words in (_THANKS, _AROUND))
    return any(word in thanks for word in found) and all(word in thanks | around | named for word in found)
