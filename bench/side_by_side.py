#!/usr/bin/env python3
"""Holdfast beside nginx: CPU per request, interleaved, on one pinned core, in one run.

nginx as a plain TLS proxy, Holdfast's public route, its DPoP route with a fresh proof for every request, and one
EVP_DigestVerify of ES256 take turns on the same core, round after round, so that what else the machine does falls on all
alike. The load generator and the backend have the other core. Same cipher, HTTP/1.1, upstream connections kept alive, logs off.

    cmake --preset release && cmake --build build/release --target holdfast holdfast_load
    bench/side_by_side.py --build build/release
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

NGINX_COMMON = """
daemon off;
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error.log warn;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
"""

NGINX_BACKEND = NGINX_COMMON + """
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 200 '{{"order":42,"state":"shipped","lines":[1,2,3,4,5,6,7,8]}}'; }}
  }}
}}
"""

NGINX_FRONT = NGINX_COMMON + """
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 600s; }}
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {folder}/tls.crt;
    ssl_certificate_key {folder}/tls.key;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    location / {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://backend; }}
  }}
}}
"""

HOLDFAST = """
workers: 1
listeners:
  - name: public
    address: 127.0.0.1:{port}
    tls: {{certificate: tls.crt, key: tls.key}}
    protocols: [http/1.1]
    public_origins: ["https://localhost"]
issuers:
  - {{name: bench, url: "{issuer}", audiences: [bench-api]}}
upstreams:
  - name: backend
    servers: ["http://127.0.0.1:{backend}"]
    timeouts: {{idle: 60s}}
routes:
  - {{name: public, match: {{path: /public/**}}, access: public, upstream: backend}}
  - {{name: orders, access: dpop, upstream: backend}}
probes: {{address: "127.0.0.1:{probes}"}}
admin: off
log: {{level: warning, access: off}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rig:
    """The processes of one run, ended with it."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.build = pathlib.Path(arguments.build).resolve()
        self.load = self.build / "bench" / "holdfast_load"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
        self.folder.chmod(0o755)  # nginx's worker is another user when started by root
        self.processes = []

    def on(self, core):
        """Pinned. The load's core never sleeps (the generator spins) and runs batches, which nobody preempts: otherwise
        every send of the server under test would pay for waking a virtual core, and the slowest server most."""
        batch = ["chrt", "--batch", "0"] if core == self.arguments.load_core else []
        return [*batch, "taskset", "-c", str(core)]

    def start(self, core, command):
        with open(self.folder / "servers.log", "ab") as log:
            process = subprocess.Popen([*self.on(core), *map(str, command)], cwd=self.folder, stdout=log, stderr=log)
        self.processes.append(process)
        return process.pid

    def stop(self, pid):
        process = next(process for process in self.processes if process.pid == pid)
        if process.poll() is not None:
            sys.exit(f"{process.args[-1]} ended by itself:\n" + (self.folder / "servers.log").read_text()[-2000:])
        process.kill()
        process.wait()
        self.processes.remove(process)

    def close(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder)

    def wait_for(self, port):
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        sys.exit(f"nobody listens on {port}:\n" + (self.folder / "servers.log").read_text())

    def nginx(self, core, name, template, **values):
        (self.folder / f"{name}.conf").write_text(template.format(folder=self.folder, name=name, **values))
        pid = self.start(core, [shutil.which("nginx") or "/usr/sbin/nginx", "-p", self.folder,
                                "-c", self.folder / f"{name}.conf"])
        self.wait_for(values["port"])
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def measure(self, core, *words):
        result = subprocess.run([*self.on(core), str(self.load), *map(str, words)], cwd=self.folder,
                                capture_output=True, text=True, check=False)
        if not result.stdout.startswith("{"):
            sys.exit(f"holdfast_load {words[0]} failed: {result.stderr}")
        measured = json.loads(result.stdout)
        if result.returncode != 0:
            sys.exit(f"holdfast_load {' '.join(map(str, words))}: not every answer was 200: {measured}\n"
                     + (self.folder / "servers.log").read_text()[-2000:])
        return measured


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", "tls.key", "-out", "tls.crt", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], cwd=folder, check=True, capture_output=True)


class Servers:
    """nginx, Holdfast where it is built, the backend and the issuer, running."""

    def __init__(self, rig, with_holdfast):
        core, load_core = rig.arguments.server_core, rig.arguments.load_core
        certificate(rig.folder)
        backend = free_port()
        rig.nginx(load_core, "backend", NGINX_BACKEND, port=backend)
        self.nginx_port = free_port()
        self.nginx_pids = rig.nginx(core, "front", NGINX_FRONT, port=self.nginx_port, backend=backend)
        # The same hop once more on the load's own core, to keep that busy while the verification is measured alone.
        self.pace_port = free_port()
        self.pace_pids = rig.nginx(load_core, "pace", NGINX_FRONT, port=self.pace_port, backend=backend)
        self.holdfast_pids = []
        if not with_holdfast:
            return
        issuer_port = free_port()
        rig.start(load_core, [rig.load, "issuer", "--port", issuer_port])
        rig.wait_for(issuer_port)
        self.issuer = f"http://127.0.0.1:{issuer_port}"
        self.holdfast_port, probes = free_port(), free_port()
        (rig.folder / "holdfast.yaml").write_text(HOLDFAST.format(
            port=self.holdfast_port, probes=probes, backend=backend, issuer=self.issuer))
        self.holdfast_pids = [rig.start(core, [rig.build / "proxy" / "holdfast", "run", "-c", "holdfast.yaml"])]
        rig.wait_for(self.holdfast_port)
        rig.wait_for(probes)
        self.wait_ready(probes)

    @staticmethod
    def wait_ready(probes):
        for _ in range(500):
            with socket.create_connection(("127.0.0.1", probes)) as probe:
                probe.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if probe.recv(4096).startswith(b"HTTP/1.1 200"):
                    return
            time.sleep(0.02)
        sys.exit("Holdfast did not become ready")


def pid_words(pids):
    return [word for pid in pids for word in ("--pid", pid)]


def runs(rig, servers):
    """name -> a function that measures it once."""
    arguments = rig.arguments
    common = ["--connections", arguments.connections]

    def load(port, pids, *words):
        return rig.measure(arguments.load_core, "run", "--port", port, *pid_words(pids), *common, *words)

    def verify():
        """Beside the load that the servers are measured beside: the two cores may be two threads of one, which slow each
        other, and what is compared has to be slowed alike."""
        pace = rig.start(arguments.load_core, [rig.load, "run", "--port", servers.pace_port, *pid_words(servers.pace_pids),
                                               *common, "--requests", 10**7, "--path", "/public/orders/42"])
        time.sleep(0.2)
        measured = rig.measure(arguments.server_core, "verify")
        rig.stop(pace)
        return measured

    table = {
        "nginx": lambda: load(servers.nginx_port, servers.nginx_pids, "--requests", arguments.requests,
                              "--path", "/public/orders/42"),
        "verify": verify,
    }
    if servers.holdfast_pids:
        dpop = ["--dpop", "--issuer", servers.issuer, "--path", "/orders/42"]
        table["public"] = lambda: load(servers.holdfast_port, servers.holdfast_pids, "--requests", arguments.requests,
                                       "--path", "/public/orders/42")
        table["dpop"] = lambda: load(servers.holdfast_port, servers.holdfast_pids, "--requests", arguments.requests, *dpop)
        table["dpop cold"] = lambda: load(servers.holdfast_port, servers.holdfast_pids, "--requests",
                                          max(1, arguments.requests // 5), "--keys", 0, *dpop)
    return table


def cost(measured):
    return measured.get("cpu_us", measured.get("verify_us"))


def report(results, idle):
    middle = {name: statistics.median(map(cost, rows)) for name, rows in results.items()}
    print(f"\n{'':<12}{'CPU us/request':>16}{'min':>9}{'max':>9}{'req/s':>9}{'p50 us':>9}{'p99 us':>9}")
    for name, rows in results.items():
        costs = [cost(row) for row in rows]
        line = f"{name:<12}{middle[name]:>16.1f}{min(costs):>9.1f}{max(costs):>9.1f}"
        if "p50_us" in rows[0]:
            for key in ("per_second", "p50_us", "p99_us"):
                line += f"{statistics.median(row[key] for row in rows):>9.0f}"
        print(line)
    for name, measured in idle.items():
        print(f"idle TLS connection, {name}: {measured['kib_after_handshake']:.1f} KiB after the handshake, "
              f"{measured['kib_after_request']:.1f} KiB after one request each, "
              f"{measured['kib_after_peak']:.1f} KiB after one each at the same time, backend connections included "
              f"({measured['connections']} connections)")
    if "public" not in middle:
        return {}
    # Within a round all ran under the same conditions, so it is a round's ratio that counts, and the median of those.
    def of_rounds(ratio):
        rounds = zip(*(map(cost, results[name]) for name in ("nginx", "verify", "public", "dpop", "dpop cold")))
        return sorted(ratio(*row) for row in rounds)

    ratios = {"public / nginx": of_rounds(lambda nginx, verify, public, dpop, cold: public / nginx),
              "dpop / (nginx + verify)": of_rounds(lambda nginx, verify, public, dpop, cold: dpop / (nginx + verify)),
              "dpop cold / (nginx + verify)": of_rounds(lambda nginx, verify, public, dpop, cold: cold / (nginx + verify))}
    print(f"{'':<30}{'median':>8}{'min':>8}{'max':>8}   of the rounds' ratios")
    for name, row in ratios.items():
        print(f"{name:<30}{statistics.median(row):>8.2f}{row[0]:>8.2f}{row[-1]:>8.2f}")
    return {name: statistics.median(row) for name, row in ratios.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--idle", type=int, default=2000, help="idle connections to open; 0: skip")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--without-holdfast", action="store_true", help="nginx and the verification only")
    parser.add_argument("--hold", action="store_true", help="exit 1 where a ratio is above the limits of the project")
    arguments = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("two cores are needed: one for the server, one for the load")

    rig = Rig(arguments)
    try:
        servers = Servers(rig, not arguments.without_holdfast)
        table = runs(rig, servers)
        # Connections first: later runs leave memory behind in pools, which new connections would take without growth.
        idle = {}
        if arguments.idle:
            for name, port, pids in (("nginx", servers.nginx_port, servers.nginx_pids),
                                     ("holdfast", getattr(servers, "holdfast_port", 0), servers.holdfast_pids)):
                if pids:
                    idle[name] = rig.measure(arguments.load_core, "idle", "--port", port, *pid_words(pids),
                                             "--connections", arguments.idle, "--path", "/public/idle")
        results = {name: [] for name in table}
        for turn in range(arguments.rounds + 1):
            for name, measure in table.items():
                measured = measure()
                if turn > 0:  # the first turn warms pools and caches
                    results[name].append(measured)
                    print(f"round {turn}/{arguments.rounds} {name:<10} {cost(measured):8.1f} us", file=sys.stderr)
        ratios = report(results, idle)
    finally:
        rig.close()
    limits = {"public / nginx": 1.4, "dpop / (nginx + verify)": 1.25}
    broken = [name for name, limit in limits.items() if ratios.get(name, 0) > limit]
    if "holdfast" in idle and max(idle["holdfast"]["kib_after_handshake"], idle["holdfast"]["kib_after_request"]) > 20:
        broken.append("idle TLS connection")
    if arguments.hold and broken:
        sys.exit("above the limit: " + ", ".join(broken))


if __name__ == "__main__":
    main()
