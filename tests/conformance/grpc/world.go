package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
)

// Names in the one certificate: of Holdfast's routes by host, and of the backends.
const (
	mainHost      = "localhost"      // its interop service is spoken to over h2c://
	encryptedHost = "encrypted.test" // over https://
)

// Everything that runs: the issuer, the backends, and Holdfast between them and the clients.
type world struct {
	folder    string
	roots     *x509.CertPool
	issuer    *issuer
	key       *signingKey
	witness   *witness
	ageing    *witness // ends each connection in order when it is a fifth of a second old
	raw       *rawBackend
	plain     string // addresses: interop server
	encrypted string // the same with TLS
	tlsPort   string // Holdfast's ports
	meshPort  string
	holdfast  *exec.Cmd
	log       accessLog
	ended     chan error
	children  []*exec.Cmd
}

// Held together until all are known, so that no two are the same.
func freeAddresses(count int) []string {
	addresses := make([]string, count)
	for i := range addresses {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		defer listener.Close()
		addresses[i] = listener.Addr().String()
	}
	return addresses
}

func port(address string) string {
	_, port, err := net.SplitHostPort(address)
	must(err)
	return port
}

func (self *world) writeCertificate() {
	key := newSigningKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{mainHost, encryptedHost}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(nil, template, template, key.private.Public(), key.private)
	must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key.private)
	must(err)
	self.roots = x509.NewCertPool()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	self.roots.AppendCertsFromPEM(text)
	must(os.WriteFile(self.file("tls.crt"), text, 0o600))
	must(os.WriteFile(self.file("tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

func (self *world) file(name string) string { return filepath.Join(self.folder, name) }

func startWorld(binary, interopServer string) *world {
	folder, err := os.MkdirTemp("", "holdfast-grpc-")
	must(err)
	self := &world{folder: folder, key: newSigningKey(), ended: make(chan error, 1)}
	self.writeCertificate()
	self.issuer = startIssuer()
	self.witness = startWitness()
	self.ageing = startWitness(grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionAge: 200 * time.Millisecond, MaxConnectionAgeGrace: patience,
	}))
	self.raw = startRawBackend()
	addresses := freeAddresses(6)
	self.plain, self.encrypted = addresses[0], addresses[1]
	self.startChild(interopServer, "-port", port(self.plain))
	self.startChild(interopServer, "-port", port(self.encrypted), "-use_tls", "-tls_cert_file", self.file("tls.crt"),
		"-tls_key_file", self.file("tls.key"))
	self.startHoldfast(binary, addresses[2:])
	waitUntil("the interop servers listen", func() bool { return listens(self.plain) && listens(self.encrypted) })
	return self
}

func (self *world) startChild(path string, args ...string) *exec.Cmd {
	child := exec.Command(path, args...)
	child.Stderr = complaints
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(child.Start())
	self.children = append(self.children, child)
	return child
}

func (self *world) startHoldfast(binary string, addresses []string) {
	tlsAddress, meshAddress, probes, nobody := addresses[0], addresses[1], addresses[2], addresses[3]
	self.tlsPort, self.meshPort = port(tlsAddress), port(meshAddress)
	configuration := strings.NewReplacer("TLS_ADDRESS", tlsAddress, "MESH_ADDRESS", meshAddress, "PROBES", probes,
		"NOBODY", nobody, "ISSUER", self.issuer.url, "INTEROP_TLS", port(self.encrypted), "INTEROP", self.plain,
		"WITNESS", self.witness.address, "AGEING", self.ageing.address, "RAW", self.raw.address, "AUDIENCE", audience,
		"ENCRYPTED_HOST", encryptedHost).Replace(configurationText)
	must(os.WriteFile(self.file("nonce.key"), []byte(rand.Text()+rand.Text()), 0o600))
	must(os.WriteFile(self.file("holdfast.yaml"), []byte(configuration), 0o600))
	self.holdfast = exec.Command(binary, "run", "-c", self.file("holdfast.yaml"))
	self.holdfast.Stderr = complaints
	self.holdfast.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := self.holdfast.StdoutPipe()
	must(err)
	must(self.holdfast.Start())
	go func() {
		self.log.read(bufio.NewScanner(output))
		self.ended <- self.holdfast.Wait()
	}()
	waitUntil("Holdfast is ready", func() bool {
		answer, err := http.Get("http://" + probes + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

const configurationText = `
listeners:
  - {name: tls, address: "TLS_ADDRESS", tls: {certificate: tls.crt, key: tls.key}}
  - {name: mesh, address: "MESH_ADDRESS", tls: off}
issuers:
  - {name: test, url: "ISSUER", audiences: [AUDIENCE]}
dpop: {nonce: {secret_file: nonce.key}, replay: {cold_start: accept}}
upstreams:
  - {name: plain, servers: ["h2c://INTEROP"]}
  - {name: encrypted, servers: ["https://localhost:INTEROP_TLS"], tls: {ca: tls.crt}}
  - {name: witness, servers: ["h2c://WITNESS"]}
  - {name: ageing, servers: ["h2c://AGEING"]}
  - {name: impatient, servers: ["h2c://WITNESS"], timeouts: {response: 200ms}}
  - {name: raw, servers: ["h2c://RAW"]}
  - {name: down, servers: ["h2c://NOBODY"]}
routes:
  # grpc-go's client asks for load reports below the application's interceptors.
  - {name: reports-encrypted, match: {host: ENCRYPTED_HOST, path: "/xds.service.orca.v3.OpenRcaService/**"}, access: public, upstream: encrypted}
  - {name: reports, match: {path: "/xds.service.orca.v3.OpenRcaService/**"}, access: public, upstream: plain}
  - {name: encrypted-test, match: {host: ENCRYPTED_HOST, path: "/grpc.testing.TestService/**"}, upstream: encrypted}
  - {name: encrypted-other, match: {host: ENCRYPTED_HOST, path: "/grpc.testing.UnimplementedService/**"}, upstream: encrypted}
  - {name: test, match: {path: "/grpc.testing.TestService/**"}, upstream: plain}
  - {name: other, match: {path: "/grpc.testing.UnimplementedService/**"}, upstream: plain}
  - {name: witness, match: {path: "/test.Witness/**"}, upstream: witness}
  - {name: ageing, match: {path: "/test.Ageing/**"}, upstream: ageing}
  - {name: impatient, match: {path: "/test.Impatient/**"}, upstream: impatient}
  - {name: scoped, match: {path: "/test.Scoped/**"}, require: {scopes: ["calls:write"]}, upstream: witness}
  - {name: nonce, match: {path: "/test.Nonce/**"}, nonce: required, upstream: witness}
  - {name: closed, match: {path: "/test.Closed/**"}, access: deny}
  - {name: down, match: {path: "/test.Down/**"}, upstream: down}
  - {name: raw, match: {path: "/test.Raw/**"}, upstream: raw}
probes: {address: "PROBES"}
admin: off
log: {level: warning, access: all}
shutdown: {delay: 0s, drain: 20s}
`

func (self *world) stop() {
	for _, child := range append(self.children, self.holdfast) {
		child.Process.Kill()
	}
	os.RemoveAll(self.folder)
}

// ---- channels

type channel struct {
	conn   *grpc.ClientConn
	client testgrpc.TestServiceClient
	again  func() *channel // another one like it
}

// To an address, by TLS as a host of that name, or without TLS where the host is "".
func (self *world) dial(address, host string, options ...grpc.DialOption) *channel {
	transport := insecure.NewCredentials()
	if host != "" {
		transport = grpccredentials.NewTLS(&tls.Config{RootCAs: self.roots})
		options = append(options, grpc.WithAuthority(net.JoinHostPort(host, port(address))))
	}
	options = append(options, grpc.WithTransportCredentials(transport), grpc.WithDisableServiceConfig())
	conn, err := grpc.NewClient("passthrough:///"+address, options...)
	must(err)
	return &channel{conn, testgrpc.NewTestServiceClient(conn), func() *channel { return self.dial(address, host, options...) }}
}

// Good ones, for calls to that origin.
func (self *world) credentials(origin string) *credentials {
	return &credentials{origin: origin, token: self.issuer.token(self.key, "calls:read"), key: self.key, htm: "POST"}
}

func (self *world) tlsAddress() string  { return "127.0.0.1:" + self.tlsPort }
func (self *world) meshAddress() string { return "127.0.0.1:" + self.meshPort }

// ---- the access log

type accessLog struct {
	mutex sync.Mutex
	lines []map[string]any
}

func (self *accessLog) read(lines *bufio.Scanner) {
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			fmt.Fprintln(complaints, lines.Text())
			continue
		}
		self.mutex.Lock()
		self.lines = append(self.lines, line)
		self.mutex.Unlock()
	}
}

// The line of the one call to this path; waits for it.
func (self *accessLog) of(path string) map[string]any {
	var found map[string]any
	waitUntil("the access log has "+path, func() bool {
		self.mutex.Lock()
		defer self.mutex.Unlock()
		for _, line := range self.lines {
			if line["path"] == path {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

// ---- waiting

const patience = time.Minute // for what takes milliseconds on a machine that has nothing else to do

func waitUntil(what string, holds func() bool) {
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			panic("waited in vain until " + what)
		}
	}
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}
