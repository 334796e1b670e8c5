"""What a browser and curl get from a hub: pages without a browser, and files by ranges."""

import base64
import http.client
import os
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from support import dataset
from support.processes import HubProcess, Ox

ODD = b'notes/<b>&"quoted" \xe9?#%41.txt'
EVIL = "<script>alert(1)</script>"
_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page whose tags must fit into each other; collects links, text and the names of tags."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.text, self._open = [], set(), "", []
        self.feed(text)
        assert self._open == [], "tags that were never closed"

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def ox(tmp_path_factory):
    """The same for all tests here: none of them changes anything."""
    return Ox(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def hub(ox):
    with HubProcess(ox, ox.folder / "hub") as process:
        ox("login", process.url, "--token", process.secret)
        yield process


@pytest.fixture(scope="module")
def folder(ox, hub):
    """A dataset with odd names and an evil message, pushed to lab/shapes."""
    place = ox.folder / "a"
    ox("init", place)
    dataset.make(place)
    dataset.put(place, ODD, b"odd\n")
    dataset.put(place, "page.html", b"<script>alert(1)</script>")
    dataset.put(place, "big.bin", dataset.noise(1, 3_000_000))
    ox("add", ".", cwd=place)
    ox("commit", "-m", EVIL, cwd=place)
    ox("branch", "feature/x", cwd=place)
    ox("tag", "v1", cwd=place)
    ox("push", f"{hub.url}/lab/shapes", "main", "feature/x", "v1", cwd=place)
    return place


@pytest.fixture
def get(hub):
    """``get(path)`` gives status, headers and body; ``token`` None: as nobody."""

    def ask(path, *, token=hub.secret, method="GET", **headers):
        line = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            pair = base64.b64encode(f"anyone:{token}".encode()).decode()
            sent["Authorization"] = f"Basic {pair}"
        try:
            line.request(method, path, headers=sent)
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            line.close()

    return ask


def page(get, path):
    status, headers, body = get(path, Accept="text/html")
    assert status == 200, path
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    found = Page(body.decode())
    assert not found.tags & {"script", "iframe", "b", "object"}
    return found


def test_every_page_and_every_link_holds(get, folder):
    seen, ahead = set(), ["/"]
    while ahead:
        path = ahead.pop()
        if path in seen:
            continue
        seen.add(path)
        if "/raw/" in path:
            assert get(path)[0] == 200, path
        else:
            ahead += [link for link in page(get, path).links if link.startswith("/")]
    raws = [path for path in seen if "/raw/" in path]
    assert len(raws) >= len(dataset.snapshot(folder))
    assert len(seen) - len(raws) > 10  # folders, branches, the tag, the commit


def test_what_the_pages_say(get, folder):
    assert "lab/shapes" in page(get, "/").text
    top = page(get, "/lab/shapes")
    for word in ("main", "feature/x", "v1", EVIL, "Ann", "labels.csv", "images/"):
        assert word in top.text
    inner = page(get, "/lab/shapes?rev=feature%2Fx&path=images%2F1")
    assert "0001.png" in inner.text


def test_nobody_sees_nothing(get, folder):
    for path in ("/", "/lab/shapes", "/lab/nothing", "/lab/shapes/raw/main/meta.json"):
        status, headers, body = get(path, token=None, Accept="text/html")
        assert (status, b"lab/shapes" in body) == (401, False)
        assert headers["www-authenticate"].startswith("Basic ")
        Page(body.decode())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/lab/nothing", 404),
        ("/lab/shapes?rev=nope", 404),
        ("/lab/shapes?path=nope", 404),
        ("/nope", 404),
        ("/lab/shapes/raw/main/nope", 404),
        ("/lab/shapes/raw/main/..%2F..%2Ftokens.json", 404),
        ("/lab/..", 400),
        ("/%3Cscript%3E/x", 400),
    ],
)
def test_errors_are_pages_too(get, folder, path, status):
    found, _, body = get(path, Accept="text/html")
    assert found == status
    assert "script" not in Page(body.decode()).tags


def raw(path):
    return "/lab/shapes/raw/main/" + quote(path)


def test_files_come_bit_for_bit(get, folder):
    for path, content in dataset.snapshot(folder).items():
        if content[0] == "file":
            status, headers, body = get(raw(path))
            assert (status, body) == (200, content[2])
            assert headers["content-length"] == str(len(body))
            assert "sandbox" in headers["content-security-policy"]


def test_a_branch_with_a_slash_a_tag_and_an_id(get, ox, folder):
    head = ox("show", "--json", cwd=folder).json["id"]
    for revision in ("feature%2Fx", "v1", "HEAD", head, head[:10]):
        status, headers, body = get(f"/lab/shapes/raw/{revision}/tools/convert.sh")
        assert (status, headers["x-ox-commit"]) == (200, head)
        assert body == (folder / "tools/convert.sh").read_bytes()


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100000-300000", 100_000, 300_001),
        ("bytes=2999990-", 2_999_990, 3_000_000),
        ("bytes=-10", 2_999_990, 3_000_000),
        ("bytes=2999990-9999999", 2_999_990, 3_000_000),
        ("bytes=0-2999999", 0, 3_000_000),
    ],
)
def test_ranges(get, folder, asked, start, stop):
    whole = (folder / "big.bin").read_bytes()
    status, headers, body = get(raw("big.bin"), Range=asked)
    assert status == 206
    assert headers["content-range"] == f"bytes {start}-{stop - 1}/3000000"
    assert headers["content-length"] == str(stop - start)
    assert body == whole[start:stop]


def test_ranges_that_cannot_be(get, folder):
    status, headers, _ = get(raw("big.bin"), Range="bytes=3000000-")
    assert (status, headers["content-range"]) == (416, "bytes */3000000")
    assert get(raw("empty"), Range="bytes=0-")[0] == 416
    for odd in ("bytes=9-1", "bytes=1-2,5-6", "lines=1-2", "bytes=x-y"):
        assert len(get(raw("big.bin"), Range=odd)[2]) == 3_000_000


def test_what_has_not_changed_is_not_sent(get, ox, folder):
    status, headers, body = get(raw("big.bin"), method="HEAD")
    assert (status, headers["content-length"], body) == (200, "3000000", b"")
    ids = {row["path"]: row["id"] for row in ox("ls", "-r", "--json", cwd=folder).json}
    assert headers["etag"] == f'"{ids["big.bin"]}"'
    status, _, body = get(raw("big.bin"), If_None_Match=headers["etag"])
    assert (status, body) == (304, b"")
    condition = {"Range": "bytes=0-9", "If_Range": '"other"'}
    assert len(get(raw("big.bin"), **condition)[2]) == 3_000_000


def test_nothing_of_a_repository_runs_in_the_name_of_the_hub(get, folder):
    _, headers, body = get(raw("page.html"))
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert body == (folder / "page.html").read_bytes()
    assert get(raw(os.fsencode("cover.png")))[1]["content-type"] == "image/png"
