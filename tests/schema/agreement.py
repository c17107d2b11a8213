"""Does the schema say of a configuration what `holdfast check` says of it? Usage: agreement.py HOLDFAST

A message of `check` is either about what one value is (structural), and then the schema must refuse it at the same place, or
about what values are to each other, to the machine or to YAML (SEMANTIC below), and then the schema must have nothing
against it. Every configuration here is held to both, whichever it was written for.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

import yaml_core

HOLDFAST = sys.argv[1]
SETTINGS = pathlib.Path("tests/unit/settings")

# What no schema can know, by the words of `check`.
SEMANTIC = re.compile("|".join([
    # one key beside another
    "is shorthand for one entry", "cannot stand beside", "goes with issuer", "is required beside", "is required where",
    "is required, (as|and)", "is required; or write", "asks for a token", "needs ", "has no effect",
    "must not be shorter than", "can never match", "is too much: ", "is not a prefix of", "must be whole segments", "stands in the list already",
    "is the (name|url|address|header) of", "overlaps with the address of", r"is called .* by another route",
    r"holds \*, which stands alone", "no (issuer|upstream) is named", "is a header with a meaning",
    # the machine
    "no such file", "is a directory", "cannot be read", "is the address of metadata", "holds (no|a key|an?) ", "is not the key of", "expired on", "is not valid before", "is plain http outside loopback",
    # YAML: a second key hides the first; a variable's value is known at the start only
    "duplicate key", "the environment variable .* is not set", r"^(?!must be a (list|map)).*(?<!\$)\$\{\w+(:-[^}]*)?\}",
    # quotes, which make text of what YAML takes for a number or a truth; a URL whose dots are read as a path's
    "or text in quotes", "a dot inside a name is written",
    # URLs, whose characters are all that the schema looks at
    "must be written in its normal form", "must have a path that a request can have",
    # addresses, whose characters are all that the schema looks at
    r'with no bits beyond its length, not "(10\.0\.0\.1/8|fd00::1/8)"', r'must be an address such.*, not "\[:::\]:80"', r'must be an (origin|absolute http).*, not "https://\[:::\]"',
]))


def schema_errors(document):
    """The places that the schema refuses, spelled as `check` spells them."""
    out = set()

    def spell(path):
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        return re.sub(r"[\x00-\x1f\x7f]", "?", text.removeprefix("."))

    def add(error, path):
        if error.validator == "additionalProperties":
            known = error.schema["properties"]
            out.update(spell([*path, key]) for key in error.instance if key not in known)
        elif error.validator == "required":
            out.update(spell([*path, key]) for key in error.validator_value if key not in error.instance)
        elif error.validator == "anyOf":
            add_alternatives(error, path)
        else:
            out.add(spell(path))

    def add_alternatives(error, path):
        # of several forms, the one that the value has the shape of
        shape = {dict: "object", list: "array"}.get(type(error.instance))
        for index, form in enumerate(error.validator_value):
            form = DEFINITIONS.get(form.get("$ref", "").removeprefix("#/definitions/"), form)
            if shape and form.get("type") == shape:
                for inner in error.context:
                    if inner.schema_path[0] == index:
                        add(inner, [*path, *inner.path])
                return
        out.add(spell(path))

    for error in VALIDATOR.iter_errors(document):
        add(error, list(error.absolute_path))
    return out


def check(text, folder):
    (folder / "f.yaml").write_text(text)
    done = subprocess.run([HOLDFAST, "check", "--json", "-c", "f.yaml"], cwd=folder, capture_output=True, text=True,
                          env={"SET": "1"}, check=False)
    assert done.returncode in (0, 3), done
    said = json.loads(done.stdout)
    assert said["valid"] == (done.returncode == 0), done
    return said["errors"]


def stands_in(path, other):
    return path == other or (path.startswith(other) and (not other or path[len(other)] in ".["))


def disagreements(text, errors):
    structural = {error["path"] for error in errors
                  if not SEMANTIC.search(error["message"])}
    refused = schema_errors(yaml_core.load(text))
    words = {error["path"]: error["message"] for error in errors}
    return ([f"only check refuses {path}: {words[path]}" for path in sorted(structural)
             if not any(stands_in(path, other) or stands_in(other, path) for other in refused)] +
            [f"only the schema refuses {path}" for path in sorted(refused)
             if not any(stands_in(path, other) or stands_in(other, path) for other in structural)])


def blocks(file):
    """refused.txt's: (beginning, fragment, expected lines)."""
    beginnings = {}
    for part in (SETTINGS / "beginnings.txt").read_text().split("=== ")[1:]:
        name, body = part.split("\n", 1)
        beginnings[name] = re.sub(r"\|\n$", "", body)
    for part in re.split(r"^--- ", file.read_text(), flags=re.M)[1:]:
        name, body = part.split("\n", 1)
        lines = body.splitlines(keepends=True)
        expected = [line[3:].rstrip("\n") for line in lines if line.startswith("=> ")]
        yield name, beginnings[name] + "".join(line for line in lines if not line.startswith("=> ")), expected


def machine(folder):
    """The files that refused.txt speaks of, as world.h makes them up."""
    def pem(*names):
        return "".join((SETTINGS / "files" / f"{name}.pem").read_text() for name in names)

    spoken = {"tls.crt", "tls.key"}
    spoken.update(re.findall(r"[\w-]+\.(?:pem|key|crt|token|secret)\b", (SETTINGS / "refused.txt").read_text()))
    for name in spoken:
        path = folder / name
        own = name.removesuffix(".pem")
        if "absent" in name:
            continue
        if "closed" in name or "folder" in name:
            path.mkdir()
        elif name.startswith(("p256", "p384", "assertion")) or name == "client.pem":
            curve = "P-384" if name.startswith("p384") else "P-256"
            subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}",
                            "-out", path], check=True, capture_output=True)
        elif "huge" in name:
            path.write_text("x" * (5 << 20))
        elif "junk" in name:
            path.write_text("junk")
        elif "secret" in name:
            path.write_text("s3cret\n")
        elif "token" in name or name.startswith("nonce"):
            path.write_text("a" * 64 + "\n")
        elif own in ("leaf", "leaf-key", "other-key", "encrypted-key"):
            path.write_text(pem(own))
        elif own in ("expired", "future"):
            path.write_text(pem(own, "leaf-key"))
        else:
            path.write_text(pem("leaf", "authority", "leaf-key"))
        if path.is_file():
            path.chmod(0o644 if "open" in name else 0o600)


def keys(schema, path=""):
    """Each key of the schema, as `check` spells it but for the index of lists."""
    for form in (schema, *schema.get("anyOf", []), *schema.get("allOf", [])):
        form = DEFINITIONS.get(form.get("$ref", "").removeprefix("#/definitions/"), form)
        for key, inner in form.get("properties", {}).items():
            at = f"{path}.{key}".removeprefix(".")
            yield at, inner
            yield from keys(inner, at)
        if isinstance(form.get("items"), dict):
            yield from keys(form["items"], path)


def with_value(schema, value):
    """A document that has every key, and the value (YAML) wherever a key has no keys of its own."""
    for form in (schema, *schema.get("anyOf", []), *schema.get("allOf", [])):
        form = DEFINITIONS.get(form.get("$ref", "").removeprefix("#/definitions/"), form)
        if "properties" in form:
            inside = {key: with_value(inner, value) for key, inner in form["properties"].items()}
            return "{" + ", ".join(f"{key}: {text}" for key, text in inside.items()) + "}"
    for form in (schema, *schema.get("anyOf", [])):
        items = form.get("items")
        if isinstance(items, dict):
            inside = with_value(items, value)
            if inside.startswith("{") and inside != value:
                return f"[{inside}]"
    return value


# Put under every key at once: each says a form, or just misses it.
VALUES = """
~ | "" | [] | {} | [~] | [a] | ["a", 1] | [[a]] | [{a: b}] | {a: b} | {name: a} | a | "a b" | true | True | "true" | false
FALSE | "false" | on | "on" | off | "off" | Off | yes | any | "any" | [any] | auto | none | unlimited | 0 | "0" | 1 | "1" | 7
"7" | -1 | 401 | 403 | "403" | 404 | 1023 | 1024 | 1025 | 9999999 | 10000000 | 10000001 | 1000000000 | 1000000001
99999999999999999999 | 1.2 | "1.2" | 1.3 | 1.5 | .inf | 0ms | 1ms | 999ms | 1000ms | 1s | 0s | 60s | 00060s | 3600s | 3601s | 60m
61m | 1h | 24h | 25h | 8760h | 8761h | 31536000000ms | 31536000001ms | 525600m | 525601m | 86400s | 86401s | 86400001ms | 5
10s | "10s" | 10S | 10 s | 1d | 512 | "512" | 64KiB | 1KiB | 0KiB | 1MiB | 2MiB | 1025KiB | 1024KiB | 1048576 | 1048577 | "1048577"
64kB | 64KB | 9007199254740991KiB | 9007199254740992KiB | 9223372036854775807 | "9223372036854775808" | 10% | 0% | 0.5% | 00.50% | 0.0%
100% | 100.0% | 100.1% | 101% | 99.99% | .5% | 5.% | 1e1% | 0.00000000000001% | 0.000000000000001% | ":80" | ":0" | ":00080" | ":65535" | ":65536"
127.0.0.1:80 | 127.0.0.1:0 | 127.0.0.1:080 | 127.0.0.1 | 127.0.0.1:65536 | 127.1:80 | 1.2.3.4.5:80 | 256.1.1.1:80 | 0x7f.1:80 | a.0x:80
a.0y:80 | a.00:80 | a.0a:80 | localhost:80 | a..b:80 | "[::1]:80" | "[::1" | "[:::]:80" | "https://[:::]" | "::1:80" | "a:b:80" | unix:/run/x | "unix:"
http://a | https://a | HTTPS://A | https://a/ | https://a/b | https://a:443 | https://a:0 | https://a:65536 | https:/a | https:// | ftp://a | h2c://a
h2c://a/ | H2C://a | h2c://127.0.0.1:80 | "https://a?b" | wss://a | "https://a#b" | https://u@a | "https://a b" | "https://[::1]:8443" | https://a/%zz
"https://a/{b}" | "https://a/b\\\\c" | "https://a.b.c-d_e:1/x;y=z,(1)'!*+&$~" | https://1.2.3 | 10.0.0.0/8 | 10.0.0.0/33 | 10.0.0.0/08 | 10.0.0.1/8 | 10.0.0.0
10.0.0 | fd00::/8 | fd00::1/8 | "::/0" | "::1/128" | "::1/129" | "::1" | a.example.com | A.Example.com | "*.example.com" | "*.1.2.3.4"
"*" | "*.*" | "a.*" | "a:80" | a_b | -a | a.1 | 1.a | a. | .a | / | /a | a/ | // | /a/ | "/*" | "/**" | "/a/*/b" | "/a/**" | "/a/**/b"
"/a*" | "/***" | /%2F | /%2f | /%7E | /%41 | /%00 | /%7F | /%80 | /% | /%2 | /. | /.. | /a/./b | /... | /.a | /a.. | /..a/.b | "/a?b" | "/a#b"
"/a b" | "/a\\\\b" | '/a"b' | "/ä" | "ä" | /a$b | "/a${b" | "/a$${b" | "/$${b}" | "/a$$${b}" | '$' | '$$' | 'a$' | 'a$$b' | "${" | "${}"
"${1}" | "${SET" | "${SET}" | "${SET:-}" | "${SET:-x}" | "x${SET}" | "$${SET}" | "$$${SET}" | "$$$${SET}" | "$$$$${SET}" | "${SET}$$" | "${S ET}"
GET | get | Get | M-SEARCH | "GET POST" | CONNECT | TRACE | "G@T" | X-A | "X A" | x_a | "X:A" | "X{A" | 'a"b' | 'a\\b' | a:b | "c:y" | "{a}" | "a,b"
ES256 | es256 | [ES256, RS256] | [ES256, none] | RS1 | at+jwt | h2 | http/1.1 | [h2, http/2] | required | optional | dpop | public | deny | debug
warning | warn | all | denied | json | memory | redis | refuse | fresh | accept | least_request | round_robin
""".replace("\n", " | ").split(" | ")[1:-1]

# Not among them, because JSON sees no difference to what is taken, and `check` wants numbers as people write them:
# 7.0, +7, 0x7 and 0o7 for 7; 1e3 for 1000; 1.20 for the version 1.2.

failed = []
passed = 0


def case(name, wrong):
    global passed
    if wrong:
        failed.append(name)
        print("FAILED ", name)
        for line in wrong[:40]:
            print("        ", line)
    else:
        passed += 1


printed = subprocess.run([HOLDFAST, "schema"], capture_output=True, text=True, check=True).stdout
shipped = pathlib.Path("config/holdfast.schema.json")
case("config/holdfast.schema.json is what `holdfast schema` prints",
     [] if shipped.exists() and shipped.read_text() == printed else [f"holdfast schema > {shipped}"])
SCHEMA = json.loads(printed)
DEFINITIONS = SCHEMA["definitions"]
jsonschema.Draft7Validator.check_schema(SCHEMA)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
ALL = dict(keys(SCHEMA))

case("every key has a description", [at for at, inner in ALL.items() if "description" not in inner])
case("every default is taken by the schema that it stands in",
     [at for at, inner in ALL.items() if "default" in inner
      and not VALIDATOR.evolve(schema={**inner, "definitions": DEFINITIONS}).is_valid(inner["default"])])

with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    machine(folder)

    seen = set()
    for name, text, expected in blocks(SETTINGS / "refused.txt"):
        errors = check(text, folder)
        # whoever runs this may be root, who can read every file
        expected = [line.replace('cannot be read by this user: "closed', 'is a directory: "closed') for line in expected]
        lines = [f'{error["line"]}:{error["column"]}: {error["path"]}: {error["message"]}' for error in errors]
        fragment = "".join(text.splitlines(keepends=True)[-3:])
        case(f"refused.txt, {name}: {fragment}: is answered with its lines", [] if lines == expected else lines)
        case(f"refused.txt, {name}: {fragment}", disagreements(text, errors))
        seen.update(re.sub(r"\[[0-9]+\]", "", error["path"]) for error in errors)
    case("refused.txt has a bad value for every key",
         [at for at in ALL if not any(stands_in(path, at) for path in seen)])

    for name, text, _ in blocks(pathlib.Path("tests/schema/corpus.txt")):
        case(f"corpus.txt, {name}: {text}", disagreements(text, check(text, folder)))
    for value in VALUES:
        text = with_value(SCHEMA, value)
        case(f"{value} under every key", disagreements(text, check(text, folder)))

for file in [*sorted(pathlib.Path("config").glob("*.yaml")), pathlib.Path("deploy/demo/holdfast.yaml"),
             pathlib.Path("deploy/demo/compose.yaml")]:
    first = file.read_text().splitlines()[0]
    case(f"{file} is valid", sorted(schema_errors(yaml_core.load(file.read_text()))))
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    case(f"{file} names the schema",
         [] if named and (file.parent / named[1]).resolve() == shipped.resolve() else [first])

print(f"{passed} passed, {len(failed)} failed")
sys.exit(bool(failed))
