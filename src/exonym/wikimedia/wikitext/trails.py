"""Link trails: the letters after ``]]`` that the reader sees as part of the link.

Each wiki has its own set, given by MediaWiki's ``$linkTrail`` of its content language (the files
``languages/messages/Messages*.php``) or of the language that it falls back on; the default is
the basic Latin small letters. What no name ends in is left outside, though a few wikis draw it
into the link: closing quotation marks and dashes after it (Ukrainian, Icelandic), articles and
conjunctions before it (Arabic).
"""

from __future__ import annotations

import functools
import re

_DEFAULT = "[a-z]+"
_NONE = frozenset({"ii", "wuu", "za", "zh"})

# The characters of a trail, as a class of a regular expression.
_LETTERS: dict[str, str] = {
    "ab": "a-zа-ик-шыьџҕқҟҧҩҭҳҵҷҽҿәӡӷԥ",
    "alt": "a-zа-яёјҥӧӱ",
    "ar": "a-z\u0610-\u061aء-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed",
    "av": "a-zа-яёӀ",
    "az": "a-zçöüğışə",
    "ba": "a-zа-яёғҙҡңҫүһәө",
    "be": "a-zćčłńśšŭźžа-зй-шы-яёіўґ",
    "bg": "a-zа-я",
    "bn": "ঀ-\u09ff",
    "bs": "a-zćčđšž",
    "ckb": "ئابتج-در-شعغفقل-وپچڕژڤکگڵھۆیێە\u200c",
    "crh": "a-zâçñöüğışʹʺа-яё",
    "cs": "a-záéíóúýčďěňřšťůž",
    "cu": "a-zıа-пс-яё-ќўџѡѣѥѧѩѫѭѯѱѳѵѷѹѿ\u0484ґ",
    "cv": "a-zçăĕа-яӳ",
    "cy": "a-zàáâèéêì-ïòóôûŵŷ",
    "da": "a-zåæø",
    "dag": "a-zŊŋƆƐƔƷɔɛɣʒ",
    "de": "a-zßäöü",
    "din": "a-zäéëïóöŋɔɛɣ\u0308",
    "ee": "a-zŋƒɔɖɛɣʋ\u0300\u0301\u0303\u0304",
    "el": "a-zΆΈΉΊΌΎ-ΡΣ-ώ",
    "es": "a-záéíñóú",
    "et": "a-zäõöüšž",
    "fa": "آأؤئ-غفقل-وپچژکگی\u200c",
    "fat": "a-zɔɛ",
    "ff": "a-zÀÂÄÇ-ËÎÏÔÖÙÛÜàâäç-ëîïôöùûüŊŋƁƊƝƳƴɓɗɲ",
    "fi": "a-zäö",
    "fo": "a-záæíðóøúý",
    "fon": "a-zÀÂÄÇ-ËÎÏÔÖÙÛÜàâäç-ëîïôöùûüƆƉƐɔɖɛ\u0300\u0301\u0302\u0304\u030c",
    "fr": "a-zÀÂÄÇ-ËÎÏÔÖÙÛÜàâäç-ëîïôöùûü",
    "frp": "a-z·àâä-ëîïòôöùûüāăēīōœ‘’",
    "frr": "a-zßäåöüāđē",
    "fy": "a-zàáâäè-ïòóôöù-ü",
    "gu": "\u0a80-\u0aff",
    "guc": "a-záéíñóúü",
    "gur": "A-Za-zŊŋƆƐƖƲɔɛɩʋ\u0303",
    "guw": "a-zàáèéìíòóùúěǎǐǒɔɖɛ\u030cẹọ",
    "he": "a-zא-ת",
    "hi": "a-z\u0900-\u0963०-ॿ",
    "hr": "a-zßćčđšž",
    "ht": "a-zÀÈÒàèò",
    "hu": "a-zÁÉÍÓÖÚÜáéíóöúüŐőŰű",
    "hy": "a-zա-և",
    "ik": "a-zñġłŋ\u0323ḷ",
    "is": "a-záæéíðóöúýþ",
    "it": "a-zàèéìíîòóùú",
    "ka": "a-zა-ჰ",
    "kcg": "a-záí\u0331\u200c",
    "kk": "a-zäçéïñöüýğışʹʺа-яёіғқңүұһәөابتجحدر-شعف-نوىيٴپچڭھۆۇۋە",
    "ksh": "a-zßä-çëöüėğĳœůə",
    "ku": "a-zÇÊÎÛçêîûŞşḦḧẌẍ",
    "lbe": "1a-zа-яёӀ",
    "lt": "a-ząčėęįšūųž",
    "lv": "A-Za-zĀāČčĒēĢģĪīĶķĻļŅņŠšŪūŽž",
    "mk": "a-zа-ик-шѓѕјљњќџ",
    "ml": "a-z\u0d02-ൿ",
    "mn": "a-zа-яё",
    "mos": "A-Za-zƐƖƲɛɩʋ\u0303",
    "mr": "\u0900-\u0963ॱ-ॿ\u200d\ufeff",
    "nl": "a-zàäèéëïöü",
    "nso": "A-Za-zÊÔêôŠš",
    "ny": "A-Za-zŴŵ\u0301",
    "oc": "a-zàâç-êîôû",
    "olo": "a-zÄÖäöČčŠšŽž",
    "or": "a-z\u0b00-\u0b7f",
    "os": "a-zæа-яё",
    "pa": "a-z\u0a01\u0a02\u0a03ਅ-ਊਏਐਓ-ਨਪ-ਰਲਲ਼ਵਸ਼ਸਹ\u0a3c\u0a3e-\u0a42\u0a47\u0a48"
    "\u0a4b\u0a4c\u0a4dਖ਼-ੜਫ਼\u0a70-ੳ",
    "pcm": "a-zá",
    "pl": "a-zÓóĄ-ćĘęŁ-ńŚśŹ-ż",
    "pt": "a-zà-ãçéêíò-õúüũű\u0303ẽ",
    "ro": "a-zÂÎâîĂăŞşŢţȘ-ț",
    "rsk": "a-zа-щьюяєїґ",
    "ru": "a-zа-яё",
    "sah": "a-zа-яёҕҥүһө",
    "shi": "a-zÀÂÄÇ-ËÎÏÔÖÙÛÜàâäç-ëîïôöùûüƐƔɛɣʷḌḍḤḥṚṛṢṣṬṭẒẓⴰ-ⵯ",
    "sk": "a-záäéíóôúýčďĺľňŕšťž",
    "skr": "ء-ؤئابت-غفقلمنوٹٻپڄچڈڋڑژکگڰڳںھہۃیےݙݨ",
    "smn": "a-záâäčđŋšž",
    "sr": "a-pr-vzćčđšžа-ик-шђј-ћџ",
    "st": "A-Za-zÈÒèòĒēŌōŠš",
    "sv": "a-zÄÅÉÖäåéö",
    "syl": "a-zꠀ-\ua82f",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c01-౯",
    "tg": "a-zа-яёўғқҳҷӣ",
    "tk": "a-zÄÇÖÜÝäçöüýĞğŇňŞşŽž",
    "tn": "a-zêôš",
    "tr": "a-zÂÇÎÖÛÜâçîöûüĞğİıŞş",
    "tt": "a-zа-яёҖҗҢңҮүҺһӘәӨө",
    "tum": "A-Za-zŴŵ\u0302",
    "udm": "a-zа-яёӝӟӥӧӵ",
    "uk": "a-zа-ьюяёєіїґ",
    "ur": "ءآؤئابت-غفقلمنو\u0654ٹپچڈڑژکگںھہۃیے\u200b",
    "uz": "a-zʻʼ",
    "wa": "a-zâåç-êîôû",
}  # fmt: skip

# Wikipedias with the same letters as another, most because their language falls back on it.
_SAME: dict[str, str] = {
    "ar": "ary arz",
    "av": "ady ce inh kbd lez",
    "be": "be-tarask be-x-old",
    "bn": "bpy",
    "bs": "sh sl",
    "da": "kl nb nn no",
    "de": "als bar gsw lb nds pdc pfl stq",
    "el": "pnt",
    "es": "an ast ay cbk-zam ext gn lad nah",
    "et": "fiu-vro vep vro",
    "fa": "azb glk lrc mzn",
    "fat": "tw",
    "fr": "atj avk bm gcr kab kbp ln mg pcd sg ty vi wo zgh",
    "he": "yi",
    "hi": "anp awa gom mai sa",
    "hy": "hyw",
    "it": "co eml fur lij lld lmo nap pms roa-tara scn vec",
    "ka": "xmf",
    "lt": "bat-smg sgs",
    "lv": "ltg",
    "nl": "li nds-nl srn vls zea",
    "pl": "csb szl",
    "pt": "gl mwl tet",
    "ro": "mo rmy roa-rup rup",
    "ru": "bxr koi krc kv tyv xal",
    "tr": "gag",
    "uk": "rue",
}
_LETTERS |= {code: _LETTERS[as_in] for as_in, codes in _SAME.items() for code in codes.split()}

# Trails that are no mere class: the apostrophe in the midst of a word, digraphs.
_PATTERNS: dict[str, str] = {
    "br": "(?:[cC]['’][hH]|[a-zA-ZàâçéèêîôûäëïöüùñÇÉÂÊÎÔÛÄËÏÖÜÀÈÙÑ])+",
    "ca": "(?:[a-zàèéíòóúç·ïü]|'(?!'))+",
    "kaa": "(?:[a-zıʼ’]|'(?!'))+",
    "se": ":?[a-zàáâçčʒǯđðéèêëǧǥȟíìîïıǩŋñóòôõßšŧúùûýÿüžþæøåäö]+",
}


@functools.lru_cache(maxsize=64)
def trail_pattern(language: str) -> re.Pattern[str] | None:
    """The pattern of what may follow ``]]``; None where links have no trail.

    Args:
        language: Wikipedia's language code.
    """
    if language in _NONE:
        return None
    if language in _LETTERS:
        return re.compile(f"[{_LETTERS[language]}]+")
    return re.compile(_PATTERNS.get(language, _DEFAULT))
