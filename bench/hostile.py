#!/usr/bin/env python3
"""Other clients' p99 while one client attacks.

Clients on kept-alive connections call an API over TLS, each time with a fresh proof, so often a second whatever the answers
take, first undisturbed and then during each attack in turn, round after round. An attack is one process that sends what it likes, a megabit a second
(--bandwidth), over as many connections as it needs, and comes again whenever it is thrown out. What counts is the ratio of a
round's two p99, and of those the median.

Holdfast has one core, everything else the other, and there the attack and the backend that it asks get what time is left: they
stand for other machines. So those clients, their backend and Holdfast run with real-time priority, for which the bench has to
be root (or have CAP_SYS_NICE). What is left of both cores is burnt at idle priority: a core of a virtual machine that sleeps
wakes up milliseconds late, which would be all that is measured of the quiet.

    cmake --preset release && cmake --build build/release --target holdfast holdfast_load
    bench/hostile.py --build build/release
"""

import argparse
import os
import resource
import selectors
import socket
import statistics
import struct
import subprocess
import sys
import time

from side_by_side import NGINX_BACKEND, Rig, Servers, certificate, free_port

HOLDFAST = """
workers: 1
listeners:
  - name: public
    address: 127.0.0.1:{tls}
    tls: {{certificate: tls.crt, key: tls.key}}
    public_origins: ["https://localhost"]
    limits: {{max_connections: 200}}
  - {{name: mesh, address: "127.0.0.1:{plain}", tls: off, limits: {{max_connections: {most}}}}}
upstreams:
  - {{name: backend, servers: ["http://127.0.0.1:{backend}"], max_connections: 1100}}
  - {{name: attacked, servers: ["http://127.0.0.1:{attacked}"], max_connections: 1100}}
issuers:
  - {{name: bench, url: "{issuer}", audiences: [bench-api]}}
routes:
  - {{name: attacked, match: {{path: /attacked/**}}, access: public, upstream: attacked}}
  - {{name: orders, access: dpop, upstream: backend}}
probes: {{address: "127.0.0.1:{probes}"}}
admin: off
log: {{level: warning, access: off}}
"""

PIECE = 4 << 10
MANY = 10_000  # idle connections


# ---- frames (RFC 9113 4.1) and field sections (RFC 7541), by hand

DATA, HEADERS, PRIORITY, RST, SETTINGS, _, PING, _, WINDOW, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS = 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    if len(value) < 127:
        return bytes([len(value)]) + value
    rest, out = len(value) - 127, bytes([127])
    while rest >= 128:
        out, rest = out + bytes([rest % 128 + 128]), rest // 128
    return out + bytes([rest]) + value


def literal(name, value):
    return b"\0" + text(name) + text(value)


def entry(name, value):
    return b"\x40" + text(name) + text(value)


GET, POST = b"\x82\x86", b"\x83\x86"  # with :scheme http


def head(method=GET, path=b"/attacked/x"):
    return method + literal(b":path", path) + literal(b":authority", b"localhost")


def hello(window=None):
    settings = b"" if window is None else struct.pack(">HI", 4, window)
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings)


def number(value):
    return struct.pack(">I", value)


# What a flood begins with, and what it then sends without end, by the count of the stream.
FLOODS = {
    "rapid reset": (b"", lambda n: frame(HEADERS, END_STREAM | END_HEADERS, n, head()) + frame(RST, 0, n, number(8))),
    "bad window updates": (b"", lambda n: frame(HEADERS, END_STREAM | END_HEADERS, n, head())
                           + frame(WINDOW, 0, n, number(0x7fffffff))),
    "wrong lengths": (b"", lambda n: frame(HEADERS, END_HEADERS, n, head(POST) + literal(b"content-length", b"9"))
                      + frame(DATA, END_STREAM, n, b"x")),
    "continuations": (frame(HEADERS, END_STREAM, 1, head()), lambda n: frame(CONTINUATION, 0, 1, literal(b"x", b"c" * 900))),
    "header bombs": (frame(HEADERS, END_STREAM | END_HEADERS, 1, head() + entry(b"x", b"a" * 600)),
                     lambda n: frame(HEADERS, END_STREAM | END_HEADERS, n + 2, head() + b"\xbe" * 90)),
    "empty frames": (frame(HEADERS, END_HEADERS, 1, head(POST)), lambda n: frame(DATA, 0, 1)),
    "pings": (b"", lambda n: frame(PING, 0, 0, b"12345678")),
    "settings": (b"", lambda n: frame(SETTINGS, 0, 0)),
    "handshakes": None,
}


class Pace:
    """A link that carries so many bytes a second, and none faster because it was free before."""

    rate = 0  # of the attack, which has a process of its own

    def __init__(self):
        self.free = time.monotonic()

    def spend(self, size):
        now = time.monotonic()
        self.free = max(self.free, now) + size / self.rate
        time.sleep(self.free - now)


def flood(plain, begin, more):
    pieces, stream = [], 1
    while sum(map(len, pieces)) < 256 << 10:  # far more than any connection is let send
        piece = b""
        while len(piece) < PIECE:
            piece, stream = piece + more(stream), stream + 2
        pieces.append(piece)
    pieces[0] = hello() + begin + pieces[0]
    pace = Pace()
    ready()
    while True:
        with socket.create_connection(("127.0.0.1", plain)) as attacker:
            try:
                for piece in pieces:
                    attacker.sendall(piece)
                    pace.spend(len(piece))
                    attacker.setblocking(False)
                    try:
                        while attacker.recv(1 << 16):
                            pass
                        break
                    except BlockingIOError:
                        attacker.setblocking(True)
            except OSError:
                pace.spend(PIECE)  # thrown out


def handshakes(tls):
    """A hundred a second that go no further than what costs the server a signature."""
    import ssl
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    ready()
    while True:
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", tls)) as attacker:
            try:
                context.wrap_socket(attacker, server_hostname="localhost").close()
            except OSError:
                pass
        time.sleep(max(0.0, began + 0.01 - time.monotonic()))


def hold(port, count, begin, drip=b"", buffer=None):
    """Connections that begin so and then go on by a byte now and then, or not at all; each that is ended is replaced."""
    waiting = selectors.DefaultSelector()

    def dial():
        attacker = socket.socket()
        if buffer:
            attacker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        attacker.connect(("127.0.0.1", port))
        attacker.sendall(begin)
        attacker.setblocking(False)
        if not buffer:
            waiting.register(attacker, selectors.EVENT_READ)
        return attacker

    held = {}
    pace = Pace()
    for _ in range(count):
        attacker = dial()
        held[attacker] = 0
        pace.spend(len(begin) + 20)
    ready()
    while True:
        for key, _ in waiting.select(0 if drip else 0.1):
            attacker = key.fileobj
            try:
                if attacker.recv(1 << 16):
                    continue
            except BlockingIOError:
                continue
            except OSError:
                pass
            waiting.unregister(attacker)
            held.pop(attacker)
            attacker.close()
            held[dial()] = 0
            pace.spend(len(begin) + 20)
        if not drip:
            continue
        for attacker, place in list(held.items()):
            try:
                attacker.send(drip[place % len(drip):place % len(drip) + 1])
                held[attacker] = place + 1
            except OSError:
                pass
            pace.spend(100)  # about what a byte costs on the wire


def requests(count, path, window):
    return hello(window) + b"".join(frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, head(GET, path)) for n in range(count))


HOLDS = {
    "slow heads": lambda plain: hold(plain, 1000, b"GET /attacked/x HTTP/1.1\r\nHost: localhost\r\n", b"X-Slow: yes\r\n"),
    "slow bodies": lambda plain: hold(plain, 500, b"POST /attacked/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
                                      b"body"),
    "slow readers": lambda plain: hold(plain, 200, b"GET /attacked/large HTTP/1.1\r\nHost: localhost\r\n\r\n", buffer=4096),
    "zero windows": lambda plain: hold(plain, 8, requests(100, b"/attacked/large", 0)),
    "idle connections": lambda plain: hold(plain, idle_connections(), b""),
}
ATTACKS = [*FLOODS, *HOLDS]


def idle_connections():
    return max(0, min(MANY, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 4000))


def ready():
    print("ready", flush=True)


def attack(name, plain, tls):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if name in HOLDS:
        HOLDS[name](plain)
    elif FLOODS[name] is None:
        handshakes(tls)
    else:
        flood(plain, *FLOODS[name])


# ---- the measurement


class PromptRig(Rig):
    """What is measured runs as soon as it can: a client that waited for a slice of time would measure the scheduler."""

    def on(self, core):
        return ["chrt", "--fifo", "1", "taskset", "-c", str(core)]

    def keep_awake(self):
        for core in (self.arguments.server_core, self.arguments.load_core):
            self.processes.append(subprocess.Popen(["chrt", "--idle", "0", "taskset", "-c", str(core), sys.executable, "-c",
                                                    "while True: pass"]))


class Bench:
    def __init__(self, rig):
        self.rig = rig
        arguments = rig.arguments
        rig.keep_awake()
        certificate(rig.folder)
        (rig.folder / "large").write_bytes(bytes(16 << 20))
        backend, attacked, probes = free_port(), free_port(), free_port()
        self.tls, self.plain, self.probes = free_port(), free_port(), probes
        issuer = free_port()
        rig.start(arguments.load_core, [rig.load, "issuer", "--port", issuer])
        rig.wait_for(issuer)
        self.issuer = f"http://127.0.0.1:{issuer}"
        rig.nginx(arguments.load_core, "backend", NGINX_BACKEND, port=backend)
        template = NGINX_BACKEND.replace("location / {{", "location /attacked/large {{ alias {folder}/large; sendfile off; }}\n    location / {{")
        for pid in rig.nginx(arguments.load_core, "attacked", template, port=attacked):
            os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
        (rig.folder / "holdfast.yaml").write_text(HOLDFAST.format(
            tls=self.tls, plain=self.plain, backend=backend, attacked=attacked, probes=probes, issuer=self.issuer,
            most=max(1500, idle_connections() + 100)))
        self.pid = rig.start(arguments.server_core, [rig.build / "proxy" / "holdfast", "run", "-c", "holdfast.yaml"])
        rig.wait_for(self.tls)
        rig.wait_for(probes)
        Servers.wait_ready(probes)

    def p99(self):
        arguments = self.rig.arguments
        return self.rig.measure(arguments.load_core, "run", "--port", self.tls, "--pid", self.pid,
                                "--connections", arguments.connections, "--requests", arguments.requests,
                                "--every", 1_000_000 // arguments.rate,
                                "--dpop", "--keys", arguments.connections, "--issuer", self.issuer, "--path", "/orders/42")["p99_us"]

    def under(self, name):
        arguments = self.rig.arguments
        attacker = subprocess.Popen(["taskset", "-c", str(arguments.load_core), sys.executable, __file__,
                                     "--attack", name, "--plain", str(self.plain), "--tls", str(self.tls), "--bandwidth", str(arguments.bandwidth)],
                                    stdout=subprocess.PIPE)
        try:
            if attacker.stdout.readline() != b"ready\n":
                sys.exit(f"the attack by {name} ended by itself")
            time.sleep(0.5)
            measured = self.p99()
            if attacker.poll() is not None:
                sys.exit(f"the attack by {name} ended by itself")
            return measured
        finally:
            attacker.kill()
            attacker.wait()
            self.settle()

    def settle(self):
        """Until what the attack held is gone."""
        for _ in range(600):
            with socket.create_connection(("127.0.0.1", self.probes)) as probe:
                probe.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                page = b""
                while received := probe.recv(1 << 16):
                    page += received
            if b'\nholdfast_connections{listener="mesh"} 0\n' in page:
                time.sleep(1)  # the kernel has memory of theirs to free, and the backend its own connections
                return
            time.sleep(0.05)
        sys.exit("connections are left after an attack")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=6000, help="of a measurement")
    parser.add_argument("--rate", type=int, default=2000, help="requests a second")
    parser.add_argument("--connections", type=int, default=20, help="of the clients")
    parser.add_argument("--bandwidth", type=int, default=128, help="KiB a second of an attack")
    parser.add_argument("--only", action="append", choices=ATTACKS, help="this attack, and others named so")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--hold", action="store_true", help="exit 1 where a p99 more than doubles")
    parser.add_argument("--attack", choices=ATTACKS, help=argparse.SUPPRESS)
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--tls", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.attack:
        Pace.rate = arguments.bandwidth << 10
        return attack(arguments.attack, arguments.plain, arguments.tls)
    if os.cpu_count() < 2:
        sys.exit("two cores are needed: one for Holdfast, one for clients and backends")
    attacks = arguments.only or ATTACKS
    if idle_connections() < MANY and "idle connections" in attacks:
        print(f"the limit on descriptors allows {idle_connections()} idle connections, not {MANY}", file=sys.stderr)

    if subprocess.run(["chrt", "--fifo", "1", "true"], capture_output=True, check=False).returncode != 0:
        sys.exit("the right to real-time priority is needed (root, or CAP_SYS_NICE)")
    rig = PromptRig(arguments)
    try:
        bench = Bench(rig)
        bench.p99()  # warms pools and caches
        measured = {name: [] for name in attacks}
        for turn in range(1, arguments.rounds + 1):
            for name in attacks:
                before = bench.p99()
                during = bench.under(name)
                measured[name].append((before, during))
                print(f"round {turn}/{arguments.rounds} {name:<20} {before:>6} us {during:>6} us", file=sys.stderr)
    finally:
        rig.close()
    print(f"\n{'p99 of others':<20}{'quiet us':>10}{'during us':>11}{'ratio':>8}{'min':>7}{'max':>7}")
    broken = []
    for name, pairs in measured.items():
        ratios = sorted(during / before for before, during in pairs)
        middle = statistics.median(ratios)
        if middle > 2.0:
            broken.append(name)
        print(f"{name:<20}{statistics.median(pair[0] for pair in pairs):>10.0f}{statistics.median(pair[1] for pair in pairs):>11.0f}"
              f"{middle:>8.2f}{ratios[0]:>7.2f}{ratios[-1]:>7.2f}")
    if arguments.hold and broken:
        sys.exit("more than doubled: " + ", ".join(broken))
    return None


if __name__ == "__main__":
    main()
