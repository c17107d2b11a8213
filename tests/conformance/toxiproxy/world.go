package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

const patience = time.Minute // for what takes a second on a machine that has nothing else to do

type toxic struct{ kind, attributes string }

// One way from a client to the backend and back, through Holdfast and a toxiproxy on one side of it.
type way struct {
	number  int
	side    string // where the toxiproxy stands: "client" or "backend"
	client  string // "http/1.1" and "h2" over TLS, or "plain", which is HTTP/1.1
	backend string // "http" or "h2c"
	stream  string // what the toxic is for: "upstream" or "downstream"
	toxic   toxic

	world  *world
	proxy  *toxiproxy.Proxy
	caller *http.Client
}

type world struct {
	folder    string
	roots     *x509.CertPool
	server    *toxiproxy.ApiServer
	backend   string // address
	addresses map[string]string
	held      []net.Listener // on those addresses, until Holdfast starts
	holdfast  *exec.Cmd
	ended     chan error

	mutex    sync.Mutex
	begun    map[string]int // handlers at the backend, by the number of the way
	finished map[string]int
	uploads  map[string]int // that came whole
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func waitUntil(what string, holds func() bool) {
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			panic("waited in vain until " + what)
		}
	}
}

// Bytes that tell their place.
func pattern(size int) []byte {
	bytes := make([]byte, size)
	for i := range bytes {
		bytes[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return bytes
}

func startWorld(binary string, tests []test) *world {
	folder, err := os.MkdirTemp("", "holdfast-toxiproxy-")
	must(err)
	self := &world{
		folder: folder, addresses: map[string]string{}, ended: make(chan error, 1),
		begun: map[string]int{}, finished: map[string]int{}, uploads: map[string]int{},
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
	}
	self.writeCertificate()
	self.startBackend()
	self.findAddresses("tls", "mesh", "probes")
	for i := range tests {
		tests[i].way.prepare(self)
	}
	self.startHoldfast(binary, tests)
	return self
}

// Held until Holdfast starts: one of the hundreds of ports that are taken for the ways would be one of these otherwise.
func (self *world) findAddresses(names ...string) {
	for _, name := range names {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		self.held = append(self.held, listener)
		self.addresses[name] = listener.Addr().String()
	}
}

func (self *world) file(name string) string { return filepath.Join(self.folder, name) }

func (self *world) writeCertificate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	self.roots = x509.NewCertPool()
	self.roots.AppendCertsFromPEM(text)
	must(os.WriteFile(self.file("tls.crt"), text, 0o600))
	must(os.WriteFile(self.file("tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// ---- the backend

func (self *world) startBackend() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	self.backend = listener.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(self.serve), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go server.Serve(listener)
}

// /NUMBER/echo and /NUMBER/large
func (self *world) serve(out http.ResponseWriter, in *http.Request) {
	number, what, _ := strings.Cut(strings.TrimPrefix(in.URL.Path, "/"), "/")
	self.count(self.begun, number)
	defer self.count(self.finished, number)
	if what == "large" {
		out.Header().Set("Content-Length", strconv.Itoa(largeSize))
		for piece, left := pattern(64<<10), largeSize; left > 0; left -= len(piece) {
			if _, err := out.Write(piece); err != nil {
				return
			}
		}
		return
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	self.count(self.uploads, number)
	out.Write(body)
}

func (self *world) count(which map[string]int, number string) {
	self.mutex.Lock()
	defer self.mutex.Unlock()
	which[number]++
}

func (self *world) counted(which map[string]int, way *way) int {
	self.mutex.Lock()
	defer self.mutex.Unlock()
	return which[strconv.Itoa(way.number)]
}

func (self *world) wholeUploads(way *way) int { return self.counted(self.uploads, way) }

// Whoever is cut off anywhere, no handler is left behind.
func (self *world) handlersEnd(way *way) error {
	waitUntil("the backend's handlers end", func() bool { return self.counted(self.begun, way) == self.counted(self.finished, way) })
	return nil
}

// ---- Holdfast

func (self *world) startHoldfast(binary string, tests []test) {
	var configuration bytes.Buffer
	fmt.Fprintf(&configuration, `
listeners:
  - {name: tls, address: "%s", tls: {certificate: tls.crt, key: tls.key}, LIMITS}
  - {name: mesh, address: "%s", tls: off, LIMITS}
probes: {address: "%s"}
admin: off
log: {level: warning, access: off}
upstreams:
`, self.addresses["tls"], self.addresses["mesh"], self.addresses["probes"])
	for _, each := range tests {
		fmt.Fprintf(&configuration, "  - {name: u%d, servers: [\"%s://%s\"], max_connections: 10, timeouts: {connect: 10s, response: 5s, body_idle: 5s}}\n",
			each.way.number, each.way.backend, each.way.behind())
	}
	configuration.WriteString("routes:\n")
	for _, each := range tests {
		fmt.Fprintf(&configuration, "  - {name: r%d, match: {path: /%d/**}, access: public, upstream: u%d}\n",
			each.way.number, each.way.number, each.way.number)
	}
	const limits = "timeouts: {handshake: 5s, headers: 5s, body_idle: 5s, stream_idle: 5s}, limits: {max_connections: 500}"
	text := strings.ReplaceAll(configuration.String(), "LIMITS", limits)
	must(os.WriteFile(self.file("holdfast.yaml"), []byte(text), 0o600))
	self.holdfast = exec.Command(binary, "run", "-c", self.file("holdfast.yaml"))
	self.holdfast.Stdout, self.holdfast.Stderr = os.Stderr, os.Stderr
	self.holdfast.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	for _, listener := range self.held {
		must(listener.Close())
	}
	must(self.holdfast.Start())
	go func() { self.ended <- self.holdfast.Wait() }()
	waitUntil("Holdfast is ready", func() bool {
		if len(self.ended) != 0 {
			panic("Holdfast has ended by itself")
		}
		answer, err := http.Get("http://" + self.addresses["probes"] + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// Connections of that listener that were ended for that cause.
func (self *world) metric(listener, cause string) int {
	return self.sample(fmt.Sprintf(`holdfast_connection_closes_total{listener="%s",cause="%s"}`, listener, cause))
}

func (self *world) slowReaders(way *way) int {
	reset := fmt.Sprintf(`holdfast_stream_resets_total{listener="%s",cause="slow_reader"}`, way.listener())
	return self.metric(way.listener(), "slow_reader") + self.sample(reset)
}

func (self *world) sample(name string) int {
	answer, err := http.Get("http://" + self.addresses["probes"] + "/metrics")
	must(err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	must(err)
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\d+)$`).FindSubmatch(page)
	if found == nil {
		panic(name + " is not on the page of metrics")
	}
	value, err := strconv.Atoi(string(found[1]))
	must(err)
	return value
}

// Nothing is left of all that, and Holdfast ends in order.
func (self *world) end() (failure error) {
	defer os.RemoveAll(self.folder)
	defer func() {
		if said := recover(); said != nil {
			self.holdfast.Process.Kill()
			failure = fmt.Errorf("%v", said)
		}
	}()
	for _, listener := range []string{"tls", "mesh"} {
		name := fmt.Sprintf(`holdfast_connections{listener="%s"}`, listener)
		waitUntil("no connection is left at "+listener, func() bool { return self.sample(name) == 0 })
	}
	must(self.holdfast.Process.Signal(syscall.SIGTERM))
	return <-self.ended
}

// ---- a way

func (self *way) prepare(world *world) {
	self.world = world
	target := world.backend
	if self.side == "client" {
		target = world.addresses[self.listener()]
	}
	self.proxy = toxiproxy.NewProxy(world.server, fmt.Sprint(self.number), "127.0.0.1:0", target)
	must(self.proxy.Start())
}

func (self *way) listener() string {
	if self.client == "plain" {
		return "mesh"
	}
	return "tls"
}

// Where Holdfast sends this way's requests.
func (self *way) behind() string {
	if self.side == "backend" {
		return self.proxy.Listen
	}
	return self.world.backend
}

func (self *way) open(world *world) {
	front := world.addresses[self.listener()]
	if self.side == "client" {
		front = self.proxy.Listen
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, front)
		},
		TLSClientConfig:   &tls.Config{RootCAs: world.roots},
		Protocols:         new(http.Protocols),
		DisableKeepAlives: false,
	}
	transport.Protocols.SetHTTP1(self.client != "h2")
	transport.Protocols.SetHTTP2(self.client == "h2")
	self.caller = &http.Client{Transport: transport, Timeout: patience}
}

func (self *way) close() {
	self.caller.CloseIdleConnections()
	self.proxy.Stop()
}

// From now on, connections that are open included.
func (self *way) poison() {
	text := fmt.Sprintf(`{"type": "%s", "name": "it", "stream": "%s", "attributes": %s}`, self.toxic.kind, self.stream, self.toxic.attributes)
	if self.proxy.Toxics.GetToxic("it") != nil {
		return
	}
	_, err := self.proxy.Toxics.AddToxicJson(strings.NewReader(text))
	must(err)
}

func (self *way) worksAgain() error {
	self.proxy.Toxics.ResetToxics(context.Background())
	self.caller.CloseIdleConnections()
	sent := pattern(uploadSize)
	answer, body, err := self.post(sent)
	if err != nil {
		return fmt.Errorf("afterwards: %w", err)
	}
	if answer.StatusCode != http.StatusOK || !bytes.Equal(body, sent) {
		return fmt.Errorf("afterwards: status %d, %d bytes of %d", answer.StatusCode, len(body), len(sent))
	}
	return nil
}

func (self *way) request(method, what string, body io.Reader) *http.Request {
	scheme := "https"
	if self.client == "plain" {
		scheme = "http"
	}
	request, err := http.NewRequest(method, fmt.Sprintf("%s://localhost/%d%s", scheme, self.number, what), body)
	must(err)
	return request
}

func (self *way) send(method, what string, body io.Reader) (*http.Response, []byte, error) {
	answer, err := self.caller.Do(self.request(method, what, body))
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	received, err := io.ReadAll(answer.Body)
	return answer, received, err
}

func (self *way) post(body []byte) (*http.Response, []byte, error) {
	return self.send("POST", "/echo", bytes.NewReader(body))
}

// The head of a large answer; its body is the caller's to read.
func (self *way) large() (*http.Response, error) {
	return self.caller.Do(self.request("GET", "/large", nil))
}

func (self *way) waitForHandler() {
	waitUntil("the backend has the request", func() bool { return self.world.counted(self.world.begun, self) > 0 })
}
