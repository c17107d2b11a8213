package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A call, and all that came back.
type outcome struct {
	messages [][]byte
	header   metadata.MD
	trailer  metadata.MD
	status   *status.Status
}

func call(ctx context.Context, to *channel, path string, requests ...[]byte) outcome {
	var out outcome
	stream, err := to.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, path)
	if err != nil {
		out.status = status.Convert(err)
		return out
	}
	for _, request := range requests {
		if stream.SendMsg(wrapperspb.Bytes(request)) != nil {
			break // the status tells why
		}
	}
	stream.CloseSend()
	for {
		var message wrapperspb.BytesValue
		if err = stream.RecvMsg(&message); err != nil {
			break
		}
		out.messages = append(out.messages, message.Value)
	}
	out.header, _ = stream.Header()
	out.trailer = stream.Trailer()
	if err == io.EOF {
		err = nil
	}
	out.status = status.Convert(err)
	return out
}

func (self outcome) expect(code codes.Code, challenge string) error {
	if self.status.Code() != code {
		return fmt.Errorf("%v instead of %v: %s", self.status.Code(), code, self.status.Message())
	}
	challenges := append(self.header.Get("www-authenticate"), self.trailer.Get("www-authenticate")...)
	if challenge == "" {
		if len(challenges) != 0 {
			return fmt.Errorf("a challenge: %q", challenges)
		}
		return nil
	}
	if len(challenges) != 1 {
		return fmt.Errorf("%d challenges: %q", len(challenges), challenges)
	}
	return contains(challenges[0], challenge)
}

// Whether the access log has these of the one call to this path.
func (self *world) logged(path string, want map[string]any) error {
	line := self.log.of(path)
	for name, value := range want {
		if !reflect.DeepEqual(line[name], value) {
			return fmt.Errorf("the access log has %s=%v instead of %v for %s: %v", name, line[name], value, path, line)
		}
	}
	return nil
}

// A channel to the TLS listener; `change` makes its credentials worse.
func (self *world) connect(change func(*credentials)) *channel {
	with := self.credentials(self.origin())
	if change != nil {
		change(with)
	}
	return self.dial(self.tlsAddress(), mainHost, with.options()...)
}

func (self *world) origin() string { return "https://" + mainHost + ":" + self.tlsPort }

func runPromises(tests *tests, world *world) {
	refusals(tests, world)
	passing(tests, world)
	deadlines(tests, world)
	breaking(tests, world)
	drain(tests, world)
}

// ---- refusals

func refusals(tests *tests, world *world) {
	rows := []struct {
		name      string
		path      string
		code      codes.Code
		challenge string
		reason    string
		change    func(*credentials)
	}{
		{"a proof with another method", "/test.Witness/WrongMethod", codes.Unauthenticated,
			`error="invalid_dpop_proof"`, "htm_mismatch", func(with *credentials) { with.htm = "GET" }},
		{"a proof for another URI", "/test.Witness/WrongUri", codes.Unauthenticated,
			`error="invalid_dpop_proof"`, "htu_mismatch", func(with *credentials) { with.origin += "/v1" }},
		{"no token", "/test.Witness/BadToken", codes.Unauthenticated, `error="invalid_token"`, "token_malformed",
			func(with *credentials) { with.token = "rubbish" }},
		{"a token of another key", "/test.Witness/Stolen", codes.PermissionDenied, `error="invalid_token"`, "key_mismatch",
			func(with *credentials) { with.key = newSigningKey() }},
		{"a scope missing", "/test.Scoped/Missing", codes.PermissionDenied, `scope="calls:write"`,
			"scope_missing", nil},
		{"a nonce missing", "/test.Nonce/Missing", codes.Unauthenticated, `error="use_dpop_nonce"`, "nonce_required", nil},
		{"a closed route", "/test.Closed/Anything", codes.PermissionDenied, "", "route_denied", nil},
		{"no route", "/test.Unknown/Anything", codes.Unimplemented, "", "no_route", nil},
		{"a backend that is not there", "/test.Down/Anything", codes.Unavailable, "", "upstream_unavailable", nil},
		{"a backend that is too slow", "/test.Impatient/HangTooLong", codes.DeadlineExceeded, "", "upstream_timeout", nil},
	}
	for _, row := range rows {
		tests.run("refusal: "+row.name, func() error {
			to := world.connect(row.change)
			defer to.conn.Close()
			ctx, cancel := patient()
			defer cancel()
			out := call(ctx, to, row.path, []byte("a request"))
			decision := "deny"
			if strings.HasPrefix(row.reason, "upstream_") {
				decision = "allow"
			}
			return errors.Join(out.expect(row.code, row.challenge), world.logged(row.path, map[string]any{
				"status": 200.0, "grpc_status": float64(row.code), "decision": decision, "reason": row.reason, "method": "POST",
			}))
		})
	}

	tests.run("refusal: no credentials", func() error {
		to := world.dial(world.tlsAddress(), mainHost)
		defer to.conn.Close()
		ctx, cancel := patient()
		defer cancel()
		out := call(ctx, to, "/test.Witness/Nobody", []byte("a request"))
		if err := out.expect(codes.Unauthenticated, `DPoP algs="ES256`); err != nil {
			return err
		}
		if strings.Contains(out.trailer.Get("www-authenticate")[0], "error") {
			return fmt.Errorf("an error without credentials: %q", out.trailer.Get("www-authenticate"))
		}
		return world.logged("/test.Witness/Nobody", map[string]any{"reason": "no_credentials", "grpc_status": 16.0})
	})

	tests.run("refusal: a proof used twice", func() error {
		ctx, cancel := patient()
		defer cancel()
		fresh := world.credentials(world.origin())
		fresh.proof = fresh.makeProof("/test.Witness/EchoTwice")
		to := world.dial(world.tlsAddress(), mainHost, fresh.options()...)
		defer to.conn.Close()
		if err := call(ctx, to, "/test.Witness/EchoTwice").expect(codes.OK, ""); err != nil {
			return fmt.Errorf("the first: %w", err)
		}
		return call(ctx, to, "/test.Witness/EchoTwice").expect(codes.Unauthenticated, `error="invalid_dpop_proof"`)
	})

	tests.run("refusal: the nonce that comes with it serves the next call", func() error {
		ctx, cancel := patient()
		defer cancel()
		with := world.credentials(world.origin())
		to := world.dial(world.tlsAddress(), mainHost, with.options()...)
		defer to.conn.Close()
		out := call(ctx, to, "/test.Nonce/EchoNonce")
		nonces := out.trailer.Get("dpop-nonce")
		if len(nonces) != 1 {
			return fmt.Errorf("%d nonces: %v %v", len(nonces), out.header, out.trailer)
		}
		with.nonce = nonces[0]
		return call(ctx, to, "/test.Nonce/EchoNonce").expect(codes.OK, "")
	})

	// Below gRPC: what other clients would see.
	for _, row := range []struct{ path, status string }{
		{"/test.Witness/RawNobody", "16"}, {"/test.Unknown/Raw", "12"}, {"/test.Closed/Raw", "7"},
	} {
		tests.run("refusal: HTTP 200 with grpc-status "+row.status, func() error {
			answer, err := world.post(row.path, nil, http.Header{})
			if err != nil {
				return err
			}
			if answer.StatusCode != 200 || answer.Header.Get("Grpc-Status") != row.status ||
				answer.Header.Get("Content-Type") != "application/grpc" || answer.ContentLength > 0 {
				return fmt.Errorf("%s %v", answer.Status, answer.Header)
			}
			return nil
		})
	}

	tests.run("refusal: in the middle of a request that goes on", func() error {
		to := world.dial(world.tlsAddress(), mainHost)
		defer to.conn.Close()
		ctx, cancel := patient()
		defer cancel()
		requests := make([][]byte, 64)
		for i := range requests {
			requests[i] = make([]byte, 64*1024)
		}
		for range 20 { // the connection has to survive what nobody reads
			if err := call(ctx, to, "/test.Witness/Unread", requests...).expect(codes.Unauthenticated, "DPoP"); err != nil {
				return err
			}
		}
		return nil
	})
}

// ---- what passes

func passing(tests *tests, world *world) {
	to := world.connect(nil)
	defer to.conn.Close()

	tests.run("passing: trailers, status and its details", func() error {
		ctx, cancel := patient()
		defer cancel()
		direct := call(ctx, world.dial(world.witness.address, ""), "/test.Witness/Trailers")
		through := call(ctx, to, "/test.Witness/Trailers")
		if err := direct.expect(codes.FailedPrecondition, ""); err != nil {
			return err
		}
		if !reflect.DeepEqual(direct.trailer, through.trailer) || len(through.trailer) < len(wideTrailers) {
			return fmt.Errorf("trailers %q directly, %q through", direct.trailer, through.trailer)
		}
		if !proto.Equal(direct.status.Proto(), through.status.Proto()) || len(through.status.Details()) != 1 {
			return fmt.Errorf("status %v directly, %v through", direct.status.Proto(), through.status.Proto())
		}
		for name, values := range wideTrailers {
			if !reflect.DeepEqual(through.header[name], values) {
				return fmt.Errorf("%s: %q in the header", name, through.header[name])
			}
		}
		if !reflect.DeepEqual(direct.messages, through.messages) {
			return fmt.Errorf("messages %q directly, %q through", direct.messages, through.messages)
		}
		return world.logged("/test.Witness/Trailers", map[string]any{
			"status": 200.0, "grpc_status": 9.0, "decision": "allow", "reason": nil, "upstream": "witness", "sub": "alice",
			"client_id": "grpc-client", "jkt": world.key.jkt, "bytes_out": float64(5 + 7),
		})
	})

	tests.run("passing: the identity, not the credentials", func() error {
		ctx, cancel := patient()
		defer cancel()
		out := call(ctx, to, "/test.Witness/See")
		if err := out.expect(codes.OK, ""); err != nil {
			return err
		}
		var seen metadata.MD
		must(json.Unmarshal(out.messages[0], &seen))
		for _, name := range []string{"authorization", "dpop"} {
			if seen.Get(name) != nil {
				return fmt.Errorf("the backend got %s", name)
			}
		}
		for name, value := range map[string]string{
			"x-auth-subject": "alice", "x-auth-scope": "calls:read", "x-auth-key-thumbprint": world.key.jkt,
			"content-type": "application/grpc", "x-forwarded-proto": "https",
		} {
			if got := seen.Get(name); len(got) != 1 || got[0] != value {
				return fmt.Errorf("%s: %q instead of %q", name, got, value)
			}
		}
		if seen.Get("deadline") == nil {
			return fmt.Errorf("no deadline: %v", seen)
		}
		if left, err := time.ParseDuration(seen.Get("deadline")[0]); err != nil || left > patience {
			return fmt.Errorf("a deadline of %v", seen.Get("deadline"))
		}
		return world.logged("/test.Witness/See", map[string]any{"grpc_status": 0.0, "reason": nil, "decision": "allow"})
	})

	tests.run("passing: 128 MiB each way, compressed too", func() error {
		ctx, cancel := patient()
		defer cancel()
		message := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		requests := make([][]byte, 128)
		for i := range requests {
			requests[i] = message
		}
		for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
			stream, err := to.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true},
				"/test.Witness/EchoMuch", options...)
			if err != nil {
				return err
			}
			go func() {
				for _, request := range requests {
					stream.SendMsg(wrapperspb.Bytes(request))
				}
				stream.CloseSend()
			}()
			for i := range requests {
				var echoed wrapperspb.BytesValue
				if err := stream.RecvMsg(&echoed); err != nil || !bytes.Equal(echoed.Value, message) {
					return fmt.Errorf("message %d: %d bytes, %v", i, len(echoed.Value), err)
				}
			}
			if err := stream.RecvMsg(&wrapperspb.BytesValue{}); err != io.EOF {
				return fmt.Errorf("at the end: %v", err)
			}
		}
		return nil
	})

	tests.run("passing: a status that comes before the request was read", func() error {
		ctx, cancel := patient()
		defer cancel()
		requests := make([][]byte, 64)
		for i := range requests {
			requests[i] = make([]byte, 64*1024)
		}
		for range 400 { // on one connection to the backend, which has to survive it
			out := call(ctx, to, "/test.Witness/Refuse", requests...)
			if err := out.expect(codes.ResourceExhausted, ""); err != nil {
				return err
			}
			if out.status.Message() != "no more of these, 100% sure" || out.trailer.Get("why") == nil {
				return fmt.Errorf("%q, %v", out.status.Message(), out.trailer)
			}
		}
		return nil
	})

	tests.run("passing: a thousand calls at once on one connection", func() error {
		ctx, cancel := patient()
		defer cancel()
		const calls = 1000
		failures := make([]error, calls)
		var running sync.WaitGroup
		for i := range calls {
			running.Go(func() {
				text := fmt.Appendf(nil, "call %d", i)
				out := call(ctx, to, "/test.Witness/EchoOne", text)
				if failures[i] = out.expect(codes.OK, ""); failures[i] == nil &&
					(len(out.messages) != 1 || !bytes.Equal(out.messages[0], text)) {
					failures[i] = fmt.Errorf("%q answered by %q", text, out.messages)
				}
			})
		}
		running.Wait()
		return errors.Join(failures...)
	})
}

// ---- deadlines and cancellation

func deadlines(tests *tests, world *world) {
	to := world.connect(nil)
	defer to.conn.Close()
	const soon = 20 * time.Second // milliseconds, where nothing else is to do

	// The raw backend knows no deadlines: only a reset of its stream can tell it.
	for _, row := range []struct{ name, path string }{
		{"before the answer's head", "/test.Raw/WaitDeadline"},
		{"after it", "/test.Raw/BeginDeadline"},
	} {
		tests.run("deadline: cancels the backend's call "+row.name, func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			out := call(ctx, to, row.path, []byte("a request"))
			if out.status.Code() != codes.DeadlineExceeded {
				return fmt.Errorf("%v: %s", out.status.Code(), out.status.Message())
			}
			ended := world.raw.awaitEnd(row.path[len("/test.Raw/"):])
			if took := ended.at.Sub(began); took > 300*time.Millisecond+soon {
				return fmt.Errorf("the backend saw it after %v", took)
			}
			return nil
		})
		tests.run("cancellation: reaches the backend "+row.name, func() error {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			method := strings.Replace(row.path[len("/test.Raw/"):], "Deadline", "Cancelled", 1)
			cancelled := make(chan time.Time, 1)
			go func() {
				world.raw.awaitBegin(method)
				cancelled <- time.Now()
				cancel()
			}()
			out := call(ctx, to, "/test.Raw/"+method, []byte("a request"))
			if out.status.Code() != codes.Canceled {
				return fmt.Errorf("%v: %s", out.status.Code(), out.status.Message())
			}
			if took := world.raw.awaitEnd(method).at.Sub(<-cancelled); took > soon {
				return fmt.Errorf("the backend saw it after %v", took)
			}
			return nil
		})
	}

	tests.run("cancellation: a gRPC server sees its call cancelled", func() error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			world.witness.awaitBegin("HangCancelled")
			cancel()
		}()
		call(ctx, to, "/test.Witness/HangCancelled", []byte("a request"))
		if ended := world.witness.awaitEnd("HangCancelled"); ended.err != context.Canceled {
			return ended.err
		}
		return world.logged("/test.Witness/HangCancelled", map[string]any{"status": 499.0, "grpc_status": nil})
	})

	// A client that has a deadline and does nothing when it passes.
	tests.run("deadline: is kept where neither client nor backend does", func() error {
		began := time.Now()
		answer, err := world.post("/test.Raw/WaitDeaf", world.credentials(world.origin()),
			http.Header{"Grpc-Timeout": {"300m"}})
		if err != nil {
			return err
		}
		if answer.StatusCode != 200 || answer.Header.Get("Grpc-Status") != "4" {
			return fmt.Errorf("%s %v", answer.Status, answer.Header)
		}
		if took := time.Since(began); took < 290*time.Millisecond || took > soon {
			return fmt.Errorf("after %v", took)
		}
		world.raw.awaitEnd("WaitDeaf")
		return world.logged("/test.Raw/WaitDeaf", map[string]any{
			"status": 200.0, "grpc_status": 4.0, "reason": "upstream_timeout", "decision": "allow",
		})
	})
	tests.run("deadline: ends an answer that has begun", func() error {
		answer, err := world.post("/test.Raw/BeginDeaf", world.credentials(world.origin()),
			http.Header{"Grpc-Timeout": {"300m"}})
		if err != nil {
			return err
		}
		if body, err := io.ReadAll(answer.Body); err != nil || answer.Trailer.Get("Grpc-Status") != "4" {
			return fmt.Errorf("%q, %w, %v", body, err, answer.Trailer)
		}
		world.raw.awaitEnd("BeginDeaf")
		return world.logged("/test.Raw/BeginDeaf", map[string]any{
			"status": 200.0, "grpc_status": 4.0, "reason": "upstream_timeout",
		})
	})
}

// ---- backends that break

func breaking(tests *tests, world *world) {
	tests.run("breaking: a server that ends its connections in order loses no call", func() error {
		to := world.connect(nil)
		defer to.conn.Close()
		ctx, cancel := patient()
		defer cancel()
		const callers, calls = 8, 60
		failures := make([]error, callers)
		var running sync.WaitGroup
		for i := range callers {
			running.Go(func() {
				for j := range calls {
					out := call(ctx, to, "/test.Ageing/EchoOne", []byte("a request"))
					if err := out.expect(codes.OK, ""); err != nil {
						failures[i] = fmt.Errorf("call %d of %d: %w", j, i, err)
						return
					}
					time.Sleep(20 * time.Millisecond) // beyond the age of a connection, several times
				}
			})
		}
		running.Wait()
		if seen := world.ageing.connections.Load(); seen < 3 {
			return fmt.Errorf("all over %d connections", seen)
		}
		return errors.Join(failures...)
	})
	tests.run("breaking: an answer that ends early is no success", func() error {
		to := world.connect(nil)
		defer to.conn.Close()
		ctx, cancel := patient()
		defer cancel()
		out := call(ctx, to, "/test.Raw/Abort", []byte("a request"))
		if out.status.Code() != codes.Unavailable {
			return fmt.Errorf("%v: %s", out.status.Code(), out.status.Message())
		}
		return world.logged("/test.Raw/Abort", map[string]any{
			"status": 200.0, "grpc_status": 14.0, "reason": "upstream_unavailable",
		})
	})
}

// ---- the end

func drain(tests *tests, world *world) {
	tests.run("drain: a stream ends in its own time, and then Holdfast", func() error {
		to := world.connect(nil)
		defer to.conn.Close()
		ctx, cancel := patient()
		defer cancel()
		stream, err := to.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true},
			"/test.Witness/EchoDrained")
		if err != nil {
			return err
		}
		echo := func(text string) error {
			if err := stream.SendMsg(wrapperspb.Bytes([]byte(text))); err != nil {
				return err
			}
			var echoed wrapperspb.BytesValue
			if err := stream.RecvMsg(&echoed); err != nil || string(echoed.Value) != text {
				return fmt.Errorf("%q: %q, %w", text, echoed.Value, err)
			}
			return nil
		}
		if err := echo("before"); err != nil {
			return err
		}
		must(world.holdfast.Process.Signal(syscall.SIGTERM))
		// Its listening sockets go when the drain has begun.
		waitUntil("the drain has begun", func() bool { return !listens(world.tlsAddress()) })
		for i := range 20 {
			if err := echo(fmt.Sprintf("meanwhile %d", i)); err != nil {
				return err
			}
			time.Sleep(50 * time.Millisecond) // past the second GOAWAY
		}
		stream.CloseSend()
		if err := stream.RecvMsg(&wrapperspb.BytesValue{}); err != io.EOF {
			return fmt.Errorf("at the end: %v", err)
		}
		select {
		case err := <-world.ended:
			return err
		case <-time.After(patience):
			return errors.New("it has not ended")
		}
	})
}

// A call without a gRPC library: one empty message; the body stays unread.
func (self *world) post(path string, with *credentials, fields http.Header) (*http.Response, error) {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: self.roots}, Protocols: new(http.Protocols), ResponseHeaderTimeout: patience,
	}
	transport.Protocols.SetHTTP2(true)
	request, err := http.NewRequest(http.MethodPost, self.origin()+path, bytes.NewReader(make([]byte, 5)))
	must(err)
	request.Header = fields
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	if with != nil {
		request.Header.Set("Authorization", "DPoP "+with.token)
		request.Header.Set("DPoP", with.makeProof(path))
	}
	return (&http.Client{Transport: transport}).Do(request)
}
