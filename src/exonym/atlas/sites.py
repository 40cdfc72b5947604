"""What MediaWiki calls things in each language: namespaces, the redirect word, section names.

A dump's reader must take namespaces from the dump's own siteinfo; here they are written into it.
"""

from __future__ import annotations

from dataclasses import dataclass

CANONICAL = (
    "Media|Special|Talk|User|User talk|Wikipedia|Wikipedia talk|File|File talk|MediaWiki|"
    "MediaWiki talk|Template|Template talk|Help|Help talk|Category|Category talk"
)
NAMESPACE_KEYS = (-2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
TALK, PROJECT, FILE, MEDIAWIKI, TEMPLATE, CATEGORY = 1, 4, 6, 8, 10, 14

# Per language: the namespaces in the order of NAMESPACE_KEYS; the redirect word; then the words
# "See also", "References", "Gallery", "History", "List" and the image option "thumb".
_SITES: dict[str, tuple[str, str, str]] = {
    "en": (CANONICAL, "#REDIRECT", "See also|References|Gallery|History|List|thumb"),
    "ar": (
        "ميديا|خاص|نقاش|مستخدم|نقاش المستخدم|ويكيبيديا|نقاش ويكيبيديا|ملف|نقاش الملف|ميدياويكي|"
        "نقاش ميدياويكي|قالب|نقاش القالب|مساعدة|نقاش المساعدة|تصنيف|نقاش التصنيف",
        "#تحويل",
        "انظر أيضًا|مراجع|معرض صور|تاريخ|قائمة|تصغير",
    ),
    "bn": (
        "মিডিয়া|বিশেষ|আলাপ|ব্যবহারকারী|ব্যবহারকারী আলাপ|উইকিপিডিয়া|উইকিপিডিয়া আলোচনা|চিত্র|চিত্র আলোচনা|"
        "মিডিয়াউইকি|মিডিয়াউইকি আলোচনা|টেমপ্লেট|টেমপ্লেট আলোচনা|সাহায্য|সাহায্য আলোচনা|বিষয়শ্রেণী|"
        "বিষয়শ্রেণী আলোচনা",
        "#পুনর্নির্দেশ",
        "আরও দেখুন|তথ্যসূত্র|চিত্রশালা|ইতিহাস|তালিকা|থাম্ব",
    ),
    "de": (
        "Medium|Spezial|Diskussion|Benutzer|Benutzer Diskussion|Wikipedia|Wikipedia Diskussion|"
        "Datei|Datei Diskussion|MediaWiki|MediaWiki Diskussion|Vorlage|Vorlage Diskussion|Hilfe|"
        "Hilfe Diskussion|Kategorie|Kategorie Diskussion",
        "#WEITERLEITUNG",
        "Siehe auch|Einzelnachweise|Galerie|Geschichte|Liste|mini",
    ),
    "el": (
        "Μέσο|Ειδικό|Συζήτηση|Χρήστης|Συζήτηση χρήστη|Βικιπαίδεια|Συζήτηση Βικιπαίδεια|Αρχείο|"
        "Συζήτηση αρχείου|MediaWiki|Συζήτηση MediaWiki|Πρότυπο|Συζήτηση προτύπου|Βοήθεια|"
        "Συζήτηση βοήθειας|Κατηγορία|Συζήτηση κατηγορίας",
        "#ΑΝΑΚΑΤΕΥΘΥΝΣΗ",
        "Δείτε επίσης|Παραπομπές|Συλλογή εικόνων|Ιστορία|Κατάλογος|μικρογραφία",
    ),
    "es": (
        "Medio|Especial|Discusión|Usuario|Usuario discusión|Wikipedia|Wikipedia discusión|Archivo|"
        "Archivo discusión|MediaWiki|MediaWiki discusión|Plantilla|Plantilla discusión|Ayuda|"
        "Ayuda discusión|Categoría|Categoría discusión",
        "#REDIRECCIÓN",
        "Véase también|Referencias|Galería|Historia|Lista|miniatura",
    ),
    "fi": (
        "Media|Toiminnot|Keskustelu|Käyttäjä|Keskustelu käyttäjästä|Wikipedia|"
        "Keskustelu Wikipediasta|Tiedosto|Keskustelu tiedostosta|Järjestelmäviesti|"
        "Keskustelu järjestelmäviestistä|Malline|Keskustelu mallineesta|Ohje|Keskustelu ohjeesta|"
        "Luokka|Keskustelu luokasta",
        "#OHJAUS",
        "Katso myös|Lähteet|Galleria|Historia|Luettelo|pienoiskuva",
    ),
    "fr": (
        "Média|Spécial|Discussion|Utilisateur|Discussion utilisateur|Wikipédia|"
        "Discussion Wikipédia|Fichier|Discussion fichier|MediaWiki|Discussion MediaWiki|Modèle|"
        "Discussion modèle|Aide|Discussion aide|Catégorie|Discussion catégorie",
        "#REDIRECTION",
        "Voir aussi|Références|Galerie|Histoire|Liste|vignette",
    ),
    "hi": (
        "मीडिया|विशेष|वार्ता|सदस्य|सदस्य वार्ता|विकिपीडिया|विकिपीडिया वार्ता|चित्र|चित्र वार्ता|मीडियाविकि|"
        "मीडियाविकि वार्ता|साँचा|साँचा वार्ता|सहायता|सहायता वार्ता|श्रेणी|श्रेणी वार्ता",
        "#अनुप्रेषित",
        "इन्हें भी देखें|सन्दर्भ|चित्र दीर्घा|इतिहास|सूची|अंगूठाकार",
    ),
    "id": (
        "Media|Istimewa|Pembicaraan|Pengguna|Pembicaraan Pengguna|Wikipedia|Pembicaraan Wikipedia|"
        "Berkas|Pembicaraan Berkas|MediaWiki|Pembicaraan MediaWiki|Templat|Pembicaraan Templat|"
        "Bantuan|Pembicaraan Bantuan|Kategori|Pembicaraan Kategori",
        "#ALIH",
        "Lihat pula|Referensi|Galeri|Sejarah|Daftar|jmpl",
    ),
    "it": (
        "Media|Speciale|Discussione|Utente|Discussioni utente|Wikipedia|Discussioni Wikipedia|File|"
        "Discussioni file|MediaWiki|Discussioni MediaWiki|Template|Discussioni template|Aiuto|"
        "Discussioni aiuto|Categoria|Discussioni categoria",
        "#RINVIA",
        "Voci correlate|Note|Galleria d'immagini|Storia|Lista|miniatura",
    ),
    "ja": (
        "メディア|特別|ノート|利用者|利用者‐会話|Wikipedia|Wikipedia‐ノート|ファイル|ファイル‐ノート|"
        "MediaWiki|MediaWiki‐ノート|Template|Template‐ノート|Help|Help‐ノート|Category|Category‐ノート",
        "#転送",
        "関連項目|脚注|ギャラリー|歴史|一覧|サムネイル",
    ),
    "ko": (
        "미디어|특수|토론|사용자|사용자토론|위키백과|위키백과토론|파일|파일토론|미디어위키|미디어위키토론|틀|"
        "틀토론|도움말|도움말토론|분류|분류토론",
        "#넘겨주기",
        "같이 보기|각주|갤러리|역사|목록|섬네일",
    ),
    "nl": (
        "Media|Speciaal|Overleg|Gebruiker|Overleg gebruiker|Wikipedia|Overleg Wikipedia|Bestand|"
        "Overleg bestand|MediaWiki|Overleg MediaWiki|Sjabloon|Overleg sjabloon|Help|Overleg help|"
        "Categorie|Overleg categorie",
        "#DOORVERWIJZING",
        "Zie ook|Bronnen|Galerij|Geschiedenis|Lijst|miniatuur",
    ),
    "pl": (
        "Media|Specjalna|Dyskusja|Wikipedysta|Dyskusja wikipedysty|Wikipedia|Dyskusja Wikipedii|"
        "Plik|Dyskusja pliku|MediaWiki|Dyskusja MediaWiki|Szablon|Dyskusja szablonu|Pomoc|"
        "Dyskusja pomocy|Kategoria|Dyskusja kategorii",
        "#PATRZ",
        "Zobacz też|Przypisy|Galeria|Historia|Lista|mały",
    ),
    "pt": (
        "Multimédia|Especial|Discussão|Usuário(a)|Usuário(a) Discussão|Wikipédia|"
        "Wikipédia Discussão|Ficheiro|Ficheiro Discussão|MediaWiki|MediaWiki Discussão|"
        "Predefinição|Predefinição Discussão|Ajuda|Ajuda Discussão|Categoria|Categoria Discussão",
        "#REDIRECIONAMENTO",
        "Ver também|Referências|Galeria|História|Lista|miniaturadaimagem",
    ),
    "ru": (
        "Медиа|Служебная|Обсуждение|Участник|Обсуждение участника|Википедия|"
        "Обсуждение Википедии|Файл|Обсуждение файла|MediaWiki|Обсуждение MediaWiki|Шаблон|"
        "Обсуждение шаблона|Справка|Обсуждение справки|Категория|Обсуждение категории",
        "#ПЕРЕНАПРАВЛЕНИЕ",
        "См. также|Примечания|Галерея|История|Список|мини",
    ),
    "sv": (
        "Media|Special|Diskussion|Användare|Användardiskussion|Wikipedia|Wikipediadiskussion|Fil|"
        "Fildiskussion|MediaWiki|MediaWiki-diskussion|Mall|Malldiskussion|Hjälp|Hjälpdiskussion|"
        "Kategori|Kategoridiskussion",
        "#OMDIRIGERING",
        "Se även|Referenser|Galleri|Historia|Lista|miniatyr",
    ),
    "sw": (
        "Media|Maalum|Majadiliano|Mtumiaji|Majadiliano ya mtumiaji|Wikipedia|"
        "Majadiliano ya Wikipedia|Picha|Majadiliano ya faili|MediaWiki|Majadiliano ya MediaWiki|"
        "Kigezo|Majadiliano ya kigezo|Msaada|Majadiliano ya msaada|Jamii|Majadiliano ya jamii",
        "#REDIRECT",
        "Tazama pia|Marejeo|Picha|Historia|Orodha|thumb",
    ),
    "te": (
        "మీడియా|ప్రత్యేక|చర్చ|వాడుకరి|వాడుకరి చర్చ|వికీపీడియా|వికీపీడియా చర్చ|దస్త్రం|దస్త్రంపై చర్చ|మీడియావికీ|"
        "మీడియావికీ చర్చ|మూస|మూస చర్చ|సహాయం|సహాయం చర్చ|వర్గం|వర్గం చర్చ",
        "#దారిమార్పు",
        "ఇవి కూడా చూడండి|మూలాలు|చిత్రమాలిక|చరిత్ర|జాబితా|thumb",
    ),
    "th": (
        "สื่อ|พิเศษ|พูดคุย|ผู้ใช้|คุยกับผู้ใช้|วิกิพีเดีย|คุยเรื่องวิกิพีเดีย|ไฟล์|คุยเรื่องไฟล์|มีเดียวิกิ|"
        "คุยเรื่องมีเดียวิกิ|แม่แบบ|คุยเรื่องแม่แบบ|วิธีใช้|คุยเรื่องวิธีใช้|หมวดหมู่|คุยเรื่องหมวดหมู่",
        "#เปลี่ยนทาง",
        "ดูเพิ่ม|อ้างอิง|ระเบียงภาพ|ประวัติศาสตร์|รายชื่อ|thumb",
    ),
    "tr": (
        "Medya|Özel|Tartışma|Kullanıcı|Kullanıcı mesaj|Vikipedi|Vikipedi tartışma|Dosya|"
        "Dosya tartışma|MediaWiki|MediaWiki tartışma|Şablon|Şablon tartışma|Yardım|"
        "Yardım tartışma|Kategori|Kategori tartışma",
        "#YÖNLENDİRME",
        "Ayrıca bakınız|Kaynakça|Galeri|Tarihçe|Liste|küçükresim",
    ),
    "vi": (
        "Phương tiện|Đặc biệt|Thảo luận|Thành viên|Thảo luận Thành viên|Wikipedia|"
        "Thảo luận Wikipedia|Tập tin|Thảo luận Tập tin|MediaWiki|Thảo luận MediaWiki|Bản mẫu|"
        "Thảo luận Bản mẫu|Trợ giúp|Thảo luận Trợ giúp|Thể loại|Thảo luận Thể loại",
        "#đổi",
        "Xem thêm|Tham khảo|Thư viện ảnh|Lịch sử|Danh sách|nhỏ",
    ),
    "zh": (
        CANONICAL,
        "#重定向",
        "参见|参考文献|图集|历史|列表|缩略图",
    ),
}


@dataclass(frozen=True, slots=True)
class Site:
    """One wiki's own words.

    Args:
        language: Wikipedia's language code.
        namespaces: local names by namespace key, the main namespace left out.
        redirect: the magic word of redirect pages, with its ``#``.
        see_also, references, gallery, history, listing: section names.
        thumb: the image option that makes a thumbnail.
    """

    language: str
    namespaces: dict[int, str]
    redirect: str
    see_also: str
    references: str
    gallery: str
    history: str
    listing: str
    thumb: str

    @property
    def database(self) -> str:
        """MediaWiki's name of the wiki, such as ``jawiki`` or ``zh_yuewiki``."""
        return self.language.replace("-", "_") + "wiki"


def site_of(language: str) -> Site:
    """The wiki of a language; one that is not known speaks MediaWiki's canonical English."""
    names, redirect, words = _SITES.get(language, _SITES["en"])
    namespaces = dict(zip(NAMESPACE_KEYS, names.split("|"), strict=True))
    return Site(language, namespaces, redirect, *words.split("|"))
