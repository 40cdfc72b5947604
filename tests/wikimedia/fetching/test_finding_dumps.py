"""Which files are fetched: layouts, dates, checksums, and what is no dump site at all."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_dump import DATE, NAME

from exonym.foundation.errors import ExonymError, FormatError, InputError
from exonym.wikimedia.fetching import Client, DumpFile, NotThereError, Request, make_plan
from exonym.wikimedia.fetching.catalog import find_wiki, find_wikidata, parse_date
from exonym.wikimedia.fetching.headers import retry_after, user_agent
from loopback_dumps import CONTENT as CONTENT_ROOT
from loopback_dumps import ENTITIES, LoopbackDumps, status

SHA1 = "sha1"


def names(files: tuple[DumpFile, ...]) -> list[str]:
    return [file.name for file in files]


def test_the_pieces_of_a_large_wiki_come_in_the_order_of_their_pages(
    site: LoopbackDumps, client: Client
) -> None:
    stem = "enwiki-20260901-pages-articles-multistream"
    pieces = [f"{stem}1.xml-p1p41242.bz2", f"{stem}2.xml-p41243p151573.bz2",
              f"{stem}10.xml-p4045403p5399366.bz2"]  # fmt: skip
    index = f"{stem}-index1.txt-p1p41242.bz2"
    site.add_classic(
        "enwiki", "20260901", {"articlesmultistreamdump": dict.fromkeys([*pieces, index], b"x" * 9)}
    )
    files = find_wiki(client, site.url, "enwiki", "20260901")
    assert names(files) == pieces
    assert {(file.size, file.size_is_published, file.algorithm) for file in files} == {
        (9, True, SHA1)
    }
    assert files[0].url == f"{site.url}/enwiki/20260901/{pieces[0]}"


def test_the_plain_dump_is_taken_where_the_multistream_one_is_not_done(
    site: LoopbackDumps, client: Client
) -> None:
    plain = "swwiki-20260920-pages-articles.xml.bz2"
    jobs = {
        "articlesdump": {plain: b"1"},
        "articlesmultistreamdump": {"swwiki-20260920-m.xml.bz2": b"2"},
    }
    site.add_classic("swwiki", "20260920", jobs, articlesmultistreamdump="in-progress")
    assert names(find_wiki(client, site.url, "swwiki", "20260920")) == [plain]


def test_the_latest_dump_is_the_newest_one_that_is_complete(
    site: LoopbackDumps, client: Client
) -> None:
    for date in ("20260920", "20261001"):
        site.add_classic(
            "swwiki", date, {"articlesdump": {f"swwiki-{date}-pages-articles.xml.bz2": b"1"}},
            articlesdump="waiting" if date == "20261001" else "done",
        )  # fmt: skip
    site.files["swwiki/latest/swwiki-latest-pages-articles.xml.bz2"] = b"1"
    assert {file.date for file in find_wiki(client, site.url, "swwiki", None)} == {"20260920"}


def test_tables_come_with_the_articles_and_must_be_done_too(
    site: LoopbackDumps, client: Client
) -> None:
    jobs = {
        "articlesdump": {"swwiki-20260920-pages-articles.xml.bz2": b"1"},
        "langlinkstable": {"swwiki-20260920-langlinks.sql.gz": b"2"},
        "pagepropstable": {"swwiki-20260920-page_props.sql.gz": b"3"},
    }
    site.add_classic("swwiki", "20260920", jobs)
    tables = ("langlinks", "page_props")
    files = find_wiki(client, site.url, "swwiki", "20260920", tables=tables)
    assert sorted(file.kind for file in files) == ["articles", "langlinks", "page_props"]
    with pytest.raises(NotThereError, match="its langlinkstable is not done"):
        find_wiki(client, site.url, "swwiki", DATE, tables=tables)
    with pytest.raises(InputError, match="--layout content has no table langlinks"):
        find_wiki(client, site.url, "swwiki", DATE, layout="content", tables=tables)


def test_content_files_have_their_sizes_from_the_server_and_no_mark_is_needed(
    site: LoopbackDumps, client: Client
) -> None:
    site.add_content("swwiki", "2026-10-01", {"p1p9": b"12", "p10p11": b"3456"})
    site.files[f"{CONTENT_ROOT}/swwiki/2026-11-01/xml/bzip2/swwiki-2026-11-01-p1p9.xml.bz2"] = b""
    files = find_wiki(client, site.url, "swwiki", None, layout="content")
    assert names(files) == [f"swwiki-2026-10-01-{pages}.xml.bz2" for pages in ("p1p9", "p10p11")]
    assert [(f.size, f.size_is_published, f.algorithm, f.date) for f in files] == [
        (2, False, "sha256", "20261001"), (4, False, "sha256", "20261001"),
    ]  # fmt: skip
    assert all(asked.method == "HEAD" for asked in site.asked if asked.path.endswith(".bz2"))


def test_auto_takes_content_files_where_there_are_no_classic_ones(
    site: LoopbackDumps, client: Client
) -> None:
    site.add_content("swwiki", "2026-10-01", {"p1p9": b"12"})
    assert names(find_wiki(client, site.url, "swwiki", DATE)) == [NAME]
    assert names(find_wiki(client, site.url, "swwiki", "20261001")) == [
        "swwiki-2026-10-01-p1p9.xml.bz2"
    ]


@pytest.mark.parametrize(
    ("wiki", "date", "layout", "message"),
    [
        ("swwiki", "20260101", "auto",
         r"no complete dump of swwiki of 20260101: there is none\. The newest dates there: "
         r"20260920, 20260901"),
        ("swwiki", "20260920", "classic", r"its articlesdump is not done\. The newest"),
        ("swwiki", "20260920", "content", r"there are no SHA256SUMS"),
        ("xxwiki", None, "auto", r"no complete dump of xxwiki: there is none\. Is it named right"),
    ],
    ids=["other date", "not done", "no content", "unknown"],
)  # fmt: skip
def test_a_dump_that_is_not_there_is_an_error_that_names_those_that_are(
    wiki: str, date: str | None, layout: str, message: str, site: LoopbackDumps, client: Client
) -> None:
    site.add_classic("swwiki", "20260920", {"articlesdump": {}}, articlesdump="waiting")
    with pytest.raises(NotThereError, match=message):
        find_wiki(client, site.url, wiki, date, layout=layout)


def test_wikidata_is_the_dump_nearest_to_the_date_whatever_day_is_in_its_name(
    site: LoopbackDumps, client: Client
) -> None:
    for day, named in (("20260824", ""), ("20260831", "20260902"), ("20260921", "20260922")):
        site.add_wikidata(day, {"bz2": b"1234", "gz": b"123456"}, named=named)
    del site.files[f"{ENTITIES}/20260921/wikidata-20260922-all.json.gz"]
    file = find_wikidata(client, site.url, DATE, "bz2")
    assert (file.name, file.size, file.algorithm) == ("wikidata-20260902-all.json.bz2", 4, SHA1)
    assert file.url == f"{site.url}/{ENTITIES}/20260831/{file.name}"
    assert file.place == f"wikidatawiki/{file.name}"
    assert find_wikidata(client, site.url, None, "bz2").date == "20260922"
    assert find_wikidata(client, site.url, None, "gz").date == "20260902"
    for day in ("20260831", "20260902"):  # the folder's day and the name's
        assert find_wikidata(client, site.url, day, "bz2", exactly=True).date == "20260902"
    with pytest.raises(NotThereError, match=r"of 20260901.*20260921, 20260831, 20260824"):
        find_wikidata(client, site.url, DATE, "bz2", exactly=True)


def test_wikidata_without_a_published_checksum_is_not_taken(
    site: LoopbackDumps, client: Client
) -> None:
    site.add_wikidata("20260824", {"bz2": b"1234"})
    site.add_wikidata("20260831", {"bz2": b"1234"})
    del site.files[f"{ENTITIES}/20260831/wikidata-20260831-sha1sums.txt"]
    assert find_wikidata(client, site.url, None, "bz2").date == "20260824"


def change(site: LoopbackDumps, **values: object) -> None:
    """Change what dumpstatus.json says of the file."""
    path = f"swwiki/{DATE}/dumpstatus.json"
    listed = json.loads(site.files[path])
    listed["jobs"]["articlesmultistreamdump"]["files"][NAME].update(values)
    site.files[path] = json.dumps(listed).encode()


def test_md5_does_where_there_is_no_sha1(site: LoopbackDumps, client: Client) -> None:
    change(site, sha1=None)
    (file,) = find_wiki(client, site.url, "swwiki", DATE)
    assert (file.algorithm, len(file.digest)) == ("md5", 32)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sha1": None, "md5": None}, "publishes no checksum of swwiki"),
        ({"sha1": "xyz", "md5": ""}, "publishes no checksum of swwiki"),
        ({"size": "big"}, "of 'big' bytes, which cannot be"),
        ({"size": -1}, "of -1 bytes, which cannot be"),
        ({"size": None}, "of None bytes, which cannot be"),
    ],
)
def test_a_file_that_is_not_described_is_not_fetched(
    values: dict[str, object], message: str, site: LoopbackDumps, client: Client
) -> None:
    change(site, **values)
    with pytest.raises(FormatError, match=message):
        find_wiki(client, site.url, "swwiki", DATE)


@pytest.mark.parametrize(
    "name", ["../../etc/x.xml.bz2", f"swwiki-{DATE}-/x.xml.bz2", "x.xml.bz2", ".xml.bz2"]
)
def test_a_name_that_leads_elsewhere_is_refused(
    name: str, site: LoopbackDumps, client: Client
) -> None:
    site.add_classic("swwiki", DATE, {"articlesdump": {name: b"1"}})
    with pytest.raises(FormatError, match="lists a file"):
        find_wiki(client, site.url, "swwiki", DATE)


@pytest.mark.parametrize("page", [b"<html>", b"[]", b"{}", b'{"jobs": []}', b"\xff\xfe"])
def test_a_site_without_dumps_is_one_line(page: bytes, site: LoopbackDumps, client: Client) -> None:
    site.files[f"swwiki/{DATE}/dumpstatus.json"] = page
    with pytest.raises(FormatError, match="Is --base-url the root of a site with dumps"):
        find_wiki(client, site.url, "swwiki", DATE)


@pytest.mark.parametrize("page", [b'{"jobs": {"articlesdump": 3}}', b'{"jobs": {}}'])
def test_jobs_of_another_form_are_not_done(
    page: bytes, site: LoopbackDumps, client: Client
) -> None:
    site.files[f"swwiki/{DATE}/dumpstatus.json"] = page
    with pytest.raises(NotThereError):
        find_wiki(client, site.url, "swwiki", DATE)


def test_a_page_instead_of_checksums_is_one_line(site: LoopbackDumps, client: Client) -> None:
    site.add_content("swwiki", "2026-10-01", {"p1p9": b"12"})
    site.files[f"{CONTENT_ROOT}/swwiki/2026-10-01/xml/bzip2/SHA256SUMS"] = b"<html>\n"
    with pytest.raises(FormatError, match=r"SHA256SUMS:1: is not a list of sha256 checksums"):
        find_wiki(client, site.url, "swwiki", None, layout="content")


def test_a_plan_says_when_dates_differ(site: LoopbackDumps, client: Client) -> None:
    site.add_classic("elwiki", "20260920", {"articlesdump": {"elwiki-20260920-a.xml.bz2": b"1"}})
    site.add_wikidata("20260914", {"bz2": b"1"})
    plan = make_plan(client, Request(languages=("sw", "el"), base_url=f"{site.url}/"))
    assert [file.wiki for file in plan.files] == ["swwiki", "elwiki", "wikidatawiki"]
    assert len(plan.notes) == 2
    assert "20260901 to 20260920" in plan.notes[0]
    assert plan.notes[1] == "Wikidata's dump is of 20260914, the nearest to 20260920."
    assert (plan.wiki_bytes, plan.wikidata_bytes) == (50_001, 1)


def test_a_refusal_names_the_contact_where_none_was_given(site: LoopbackDumps) -> None:
    site.always[f"swwiki/{DATE}/dumpstatus.json"] = status(403)
    with pytest.raises(InputError, match=r"the server answers 403\. Give --contact"):
        find_wiki(Client(), site.url, "swwiki", DATE)


def test_every_request_says_who_asks(site: LoopbackDumps, client: Client) -> None:
    find_wiki(client, site.url, "swwiki", None)
    agents = {asked.headers["User-Agent"] for asked in site.asked}
    assert len(agents) == 1
    assert agents.pop().startswith(f"exonym/{version('exonym')} (test@example.org) urllib3/")


@pytest.mark.parametrize("contact", ["a\r\nX-Evil: 1", "(me)", "名前", "a\nb", " \t"])
def test_a_contact_that_breaks_the_header_is_refused(contact: str) -> None:
    with pytest.raises(InputError, match="--contact is to be a mail address"):
        user_agent(contact)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"languages": ("xx",)}, "'xx' is no Wikipedia's language code"),
        ({"languages": ("en", "../x")}, "'../x' is no Wikipedia's"),
        ({"date": "yesterday"}, "--date 'yesterday' is no date"),
        ({"date": "20261399"}, "--date '20261399' is no date"),
        ({"date": "2026-1-1"}, "is no date"),
        ({"wikidata_date": "soon"}, "--wikidata-date 'soon' is no date"),
        ({"layout": "new"}, "--layout 'new' is not known. Use one of auto, classic, content"),
        ({"wikidata": "xz"}, "--wikidata 'xz' is not known"),
        ({"base_url": "ftp://example.org"}, "--base-url 'ftp://example.org' is no address"),
        ({"base_url": "example.org"}, "is no address"),
        ({"base_url": "http://[::1"}, "is no address"),
    ],
)
def test_a_request_for_what_cannot_be_is_refused(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Request(**wanted)  # type: ignore[arg-type]


def test_mluke_stands_for_the_languages_of_the_paper() -> None:
    codes = Request(languages=("el", "mluke", "cy")).codes
    assert len(codes) == len(set(codes)) == 25
    assert codes[0] == "el"


@given(st.text(alphabet="0123456789-latest", max_size=12))
def test_a_date_is_eight_digits_or_the_latest_or_an_error(text: str) -> None:
    try:
        date = parse_date(text)
    except ExonymError:
        return
    assert date is None or (len(date) == 8 and date.isdecimal())


@given(st.text(max_size=40))
def test_retry_after_is_seconds_or_nothing(header: str) -> None:
    seconds = retry_after(header)
    assert seconds is None or seconds >= 0


def test_retry_after_may_be_a_date() -> None:
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    far = retry_after("Wed, 21 Oct 2065 07:28:00 GMT")
    assert far is not None
    assert far > 1e8
    assert (retry_after("120"), retry_after(None), retry_after("soon")) == (120, None, None)
