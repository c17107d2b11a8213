package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

const audience = "grpc-api"

func base64url(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }

// A key of ES256, the issuer's or a client's.
type signingKey struct {
	private *ecdsa.PrivateKey
	jwk     map[string]any
	jkt     string // RFC 7638
}

func newSigningKey() *signingKey {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	point, err := private.PublicKey.Bytes() // 0x04, x, y
	must(err)
	x, y := base64url(point[1:33]), base64url(point[33:])
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	return &signingKey{private, map[string]any{"kty": "EC", "crv": "P-256", "x": x, "y": y}, base64url(sum[:])}
}

func (key *signingKey) sign(header, claims map[string]any) string {
	segment := func(object map[string]any) string {
		text, err := json.Marshal(object)
		must(err)
		return base64url(text)
	}
	header["alg"] = "ES256"
	input := segment(header) + "." + segment(claims)
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key.private, sum[:])
	must(err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + base64url(signature)
}

// Serves its metadata and its key, and signs tokens that are bound to a client's key.
type issuer struct {
	url string
	key *signingKey
}

func startIssuer() *issuer {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	self := &issuer{"http://" + listener.Addr().String(), newSigningKey()}
	answer := func(object map[string]any) http.HandlerFunc {
		return func(writer http.ResponseWriter, _ *http.Request) {
			writer.Header().Set("Content-Type", "application/json")
			must(json.NewEncoder(writer).Encode(object))
		}
	}
	jwk := map[string]any{"kid": "key-1", "use": "sig", "alg": "ES256"}
	for name, value := range self.key.jwk {
		jwk[name] = value
	}
	paths := http.NewServeMux()
	paths.HandleFunc("/.well-known/openid-configuration",
		answer(map[string]any{"issuer": self.url, "jwks_uri": self.url + "/jwks"}))
	paths.HandleFunc("/jwks", answer(map[string]any{"keys": []any{jwk}}))
	go http.Serve(listener, paths)
	return self
}

func (self *issuer) token(client *signingKey, scope string) string {
	now := time.Now().Unix()
	return self.key.sign(map[string]any{"typ": "at+jwt", "kid": "key-1"}, map[string]any{
		"iss": self.url, "aud": audience, "sub": "alice", "client_id": "grpc-client", "scope": scope, "jti": rand.Text(),
		"iat": now, "exp": now + 600, "cnf": map[string]any{"jkt": client.jkt},
	})
}

// What an application that calls a protected gRPC service needs: two interceptors that give every call the token and a
// fresh proof. The proof's htu is the method's URI, so its origin has to be known here.
type credentials struct {
	origin string
	token  string
	key    *signingKey
	nonce  string
	htm    string // POST, unless a test wants it wrong
	proof  string // instead of a fresh one
}

func (self *credentials) makeProof(method string) string {
	sum := sha256.Sum256([]byte(self.token))
	claims := map[string]any{
		"jti": rand.Text(), "htm": self.htm, "htu": self.origin + method, "iat": time.Now().Unix(), "ath": base64url(sum[:]),
	}
	if self.nonce != "" {
		claims["nonce"] = self.nonce
	}
	return self.key.sign(map[string]any{"typ": "dpop+jwt", "jwk": self.key.jwk}, claims)
}

func (self *credentials) add(ctx context.Context, method string) context.Context {
	proof := self.proof
	if proof == "" {
		proof = self.makeProof(method)
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "DPoP "+self.token, "dpop", proof)
}

func (self *credentials) options() []grpc.DialOption {
	unary := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, next grpc.UnaryInvoker,
		options ...grpc.CallOption) error {
		return next(self.add(ctx, method), method, request, reply, conn, options...)
	}
	stream := func(ctx context.Context, description *grpc.StreamDesc, conn *grpc.ClientConn, method string,
		next grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		return next(self.add(ctx, method), description, conn, method, options...)
	}
	return []grpc.DialOption{grpc.WithUnaryInterceptor(unary), grpc.WithStreamInterceptor(stream)}
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("the test itself failed: %v", err))
	}
}
