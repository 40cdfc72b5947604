"""Link trails: the letters after ``]]`` that the reader sees as part of the link.

Each wiki has its own set, given by MediaWiki's ``$linkTrail`` of its content language (the files
``languages/messages/Messages*.php``); the default is the basic Latin small letters. The
table holds the additions of each language. Prefixes that a few wikis (Arabic among them) also
draw into a link are left outside: they are articles and conjunctions, no part of the name.
"""

from __future__ import annotations

import functools
import re

_NONE = frozenset({"gan", "hak", "wuu", "zh", "zh-classical", "zh-min-nan", "zh-yue"})

_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_FRENCH = "àâçéèêîôûäëïöüùÇÉÂÊÎÔÛÄËÏÖÜÀÈÙ"
_ARABIC = "ء-ي\u064b-\u065f\u0670"

_ADDITIONS: dict[str, str] = {
    "af": "äöüßâêîôûëïéèà",
    "ar": _ARABIC,
    "arz": _ARABIC,
    "be": "абвгґджзеёжзійклмнопрстуўфхцчшыьэюяćčłńśšŭźž'",
    "bg": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "bs": "čćđžš",
    "ca": "àèéíòóúç·ïü",
    "cs": "áčďéěíňóřšťúůýž",
    "da": "æøå",
    "de": "äöüß",
    "el": "αβγδεζηθικλμνξοπρστυφχψωςΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩάέήίόύώϊϋΐΰΆΈΉΊΌΎΏΪΫ",
    "es": "áéíóúñ",
    "et": "äöõšüž",
    "fa": "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیآأئؤة\u200c",
    "fi": "äö",
    "fo": "áðíóúýæø",
    "fr": _FRENCH,
    "fy": "àáèéìíòóùúâêîôûäëïöü",
    "gl": "áâãàéêẽçíòóôõq̃úüűũ",
    "he": "א-ת",
    "hi": "\u0900-\u0963\u0966-\u097f",
    "hr": "čšžćđß",
    "hu": "áéíóúöüőűÁÉÍÓÚÖÜŐŰ",
    "hy": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև",
    "is": "áðéíóúýþæö",
    "it": "àéèíîìóòúù",
    "ka": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "kk": "äçéğıïñöşüýʺʹа-яёәғіқңөұүһٴابپتجحدرزسشعفقكلمنڭەوۇۋۆىيچھ",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "mk": "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
    "ml": "\u0d00-\u0d7f",
    "mr": "\u0900-\u0963\u0971-\u097f",
    "ne": "\u0900-\u0963\u0966-\u097f",
    "nl": "äöüïëéèà",
    "nn": "æøå",
    "no": "æøå",
    "pl": "ęóąśłżźćńĘÓĄŚŁŻŹĆŃ",
    "pt": "áâãàéêẽçíòóôõq̃úüűũ",
    "ro": "ăâîşţșțĂÂÎŞŢȘȚ",
    "ru": _CYRILLIC,
    "sk": "áäčďéíľĺňóôŕšťúýž",
    "sl": "čćđžš",
    "sq": "çëÇË",
    "sr": "абвгдђежзијклљмнњопрстћуфхцчџшčćđžš",
    "sv": "åäöéÅÄÖÉ",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c01-\u0c6f",
    "tr": "ÇĞçğİıÖöŞşÜüÂâÎîÛû",
    "tt": "äçğıñöşü" + _CYRILLIC + "әөүҗңһ",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьєюяёъыэ'",
    "uz": "ʻʼ",
    "vi": _FRENCH,
}  # fmt: skip
_ADDITIONS["be-tarask"] = _ADDITIONS["be-x-old"] = _ADDITIONS["be"]
_ADDITIONS["als"] = _ADDITIONS["bar"] = _ADDITIONS["nds"] = _ADDITIONS["ksh"] = _ADDITIONS["de"]
_ADDITIONS["cv"] = _ADDITIONS["ba"] = _ADDITIONS["os"] = _CYRILLIC + "ӑӗҫӳӕәөүғҡңҙһ"


@functools.lru_cache(maxsize=64)
def trail_pattern(language: str) -> re.Pattern[str] | None:
    """The pattern of the letters that may follow ``]]``; None where links have no trail."""
    if language in _NONE:
        return None
    return re.compile(f"[a-z{_ADDITIONS.get(language, '')}]+")
