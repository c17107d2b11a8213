package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	uploadSize = 256 << 10
	largeSize  = 64 << 20 // more than all buffers on the way together
	limit      = 100_000  // bytes, where a cut comes
)

// What a way does to its bytes for as long as it is open, and cuts nothing.
var gentle = []toxic{
	{"latency", `{"latency": 40, "jitter": 20}`},
	{"bandwidth", `{"rate": 512}`},
	{"slicer", `{"average_size": 1024, "size_variation": 512, "delay": 10}`},
	{"slow_close", `{"delay": 200}`},
}

var (
	silence   = toxic{"timeout", `{"timeout": 0}`} // everything is swallowed
	trickle   = toxic{"bandwidth", `{"rate": 1}`}
	thenClose = toxic{"timeout", `{"timeout": 300}`}
	reset     = toxic{"reset_peer", `{"timeout": 0}`}
	cutOff    = toxic{"limit_data", fmt.Sprintf(`{"bytes": %d}`, limit)}
	cutHead   = toxic{"limit_data", `{"bytes": 40}`}
)

var (
	clients  = []string{"http/1.1", "h2", "plain"}
	backends = []string{"http", "h2c"}
	streams  = []string{"upstream", "downstream"} // as seen from where the way begins
)

func allTests() []test {
	var all []test
	add := func(name string, run func(*world, *way) error, way way) {
		name = fmt.Sprintf("%s: %s client, %s backend, %s side, %s", name, way.client, way.backend, way.side, way.stream)
		way.number = len(all)
		all = append(all, test{name, run, way})
	}
	for _, side := range []string{"client", "backend"} {
		for _, client := range clients {
			for _, backend := range backends {
				for _, stream := range streams {
					for _, each := range gentle {
						add(each.kind, passesWhole, way{side: side, client: client, backend: backend, stream: stream, toxic: each})
					}
				}
			}
		}
	}
	for _, client := range clients {
		for _, backend := range backends {
			between := func(stream string, toxic toxic) way {
				return way{side: "backend", client: client, backend: backend, stream: stream, toxic: toxic}
			}
			add("reset", isBadGateway, between("upstream", reset))
			add("reset", isBadGateway, between("downstream", reset))
			add("cut within the head", isBadGateway, between("downstream", cutHead))
			add("cut within an upload", uploadIsCut, between("upstream", cutOff))
			add("cut within an answer", answerIsCut, between("downstream", cutOff))
			add("silence, then the end", isBadGateway, between("downstream", thenClose))
			add("silence", isGatewayTimeout, between("downstream", silence))
			add("silence", isGatewayTimeout, between("upstream", silence))
			add("silence within an answer", answerIsCutLater, between("downstream", silence))

			before := func(stream string, toxic toxic) way {
				return way{side: "client", client: client, backend: backend, stream: stream, toxic: toxic}
			}
			add("reset", nothingArrives, before("upstream", reset))
			add("reset", nothingArrives, before("downstream", reset))
			add("cut within an upload", uploadIsCut, before("upstream", cutOff))
			add("cut within an answer", answerIsCut, before("downstream", cutOff))
			add("a body that stops", slowBody, before("upstream", silence))
			add("a reader that nearly stops", slowReader, before("downstream", trickle))
		}
		add("a client that says nothing", saysNothing, way{side: "client", client: client, backend: "http", stream: "upstream", toxic: silence})
	}
	return all
}

// ---- what is seen

func passesWhole(world *world, way *way) error {
	way.poison()
	for range 2 { // the second one on a kept connection
		sent := pattern(uploadSize)
		answer, body, err := way.post(sent)
		if err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK || !bytes.Equal(body, sent) {
			return fmt.Errorf("status %d, %d bytes of %d", answer.StatusCode, len(body), len(sent))
		}
	}
	return nil
}

func isBadGateway(world *world, way *way) error     { return isRefused(way, 502, "upstream_unavailable") }
func isGatewayTimeout(world *world, way *way) error { return isRefused(way, 504, "upstream_timeout") }

func isRefused(way *way, status int, reason string) error {
	way.poison()
	answer, body, err := way.post(pattern(10_000))
	if err != nil {
		return err
	}
	if answer.StatusCode != status || !strings.Contains(string(body), `"`+reason+`"`) {
		return fmt.Errorf("status %d: %.200s", answer.StatusCode, body)
	}
	return way.worksAgain()
}

// No backend ever takes it for whole.
func uploadIsCut(world *world, way *way) error {
	way.poison()
	answer, _, err := way.post(pattern(uploadSize))
	if err == nil && answer.StatusCode < 400 {
		return fmt.Errorf("status %d for an upload that was cut", answer.StatusCode)
	}
	if err := way.worksAgain(); err != nil {
		return err
	}
	if whole := world.wholeUploads(way); whole != 1 { // worksAgain()'s own
		return fmt.Errorf("%d whole uploads at the backend", whole-1)
	}
	return nil
}

// No client ever takes it for whole.
func answerIsCut(world *world, way *way) error {
	way.poison()
	return way.expectCut()
}

func answerIsCutLater(world *world, way *way) error { return way.expectCut() }

func (self *way) expectCut() error {
	answer, err := self.large()
	if err == nil {
		defer answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			self.poison()
			var got int64
			if got, err = io.Copy(io.Discard, answer.Body); err == nil {
				return fmt.Errorf("an answer of %d bytes passed for whole", got)
			}
		} else if self.side == "client" || answer.StatusCode != 502 {
			return fmt.Errorf("status %d", answer.StatusCode)
		}
	}
	if err := self.world.handlersEnd(self); err != nil {
		return err
	}
	return self.worksAgain()
}

func nothingArrives(world *world, way *way) error {
	way.poison()
	if answer, _, err := way.post(pattern(1000)); err == nil {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return way.worksAgain()
}

// Holdfast answers 408; over HTTP/1 the connection ends with it and is counted.
func slowBody(world *world, way *way) error {
	before := world.metric(way.listener(), "body_timeout")
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() {
		writer.Write(pattern(uploadSize))
		way.waitForHandler()
		way.poison()
		writer.Write(pattern(uploadSize))
	}()
	answer, body, err := way.send("POST", "/echo", reader)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusRequestTimeout {
		return fmt.Errorf("status %d: %.200s", answer.StatusCode, body)
	}
	if way.client != "h2" {
		waitUntil("a body_timeout is counted", func() bool { return world.metric(way.listener(), "body_timeout") > before })
	}
	if err := world.handlersEnd(way); err != nil {
		return err
	}
	if err := way.worksAgain(); err != nil {
		return err
	}
	if whole := world.wholeUploads(way); whole != 1 {
		return fmt.Errorf("%d whole uploads at the backend", whole-1)
	}
	return nil
}

// Over HTTP/2 it is the stream's window that fills up, or the connection, whichever is smaller.
func slowReader(world *world, way *way) error {
	before := world.slowReaders(way)
	answer, err := way.large()
	if err != nil {
		return err
	}
	// toxiproxy takes up and lets go of no toxic while its own reader does not read.
	go io.Copy(io.Discard, answer.Body)
	way.poison()
	waitUntil("a slow_reader is counted", func() bool { return world.slowReaders(way) > before })
	if err := world.handlersEnd(way); err != nil {
		return err
	}
	answer.Body.Close()
	return way.worksAgain()
}

// Neither its handshake nor its first request.
func saysNothing(world *world, way *way) error {
	before := world.metric(way.listener(), "handshake_timeout")
	way.poison()
	conn, err := net.Dial("tcp", way.proxy.Listen)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.Write(pattern(100))
	conn.SetReadDeadline(time.Now().Add(patience))
	// TCP has no end that crosses a silent way: the proxy passes ours on, and Holdfast's.
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("still open")
	}
	waitUntil("a handshake_timeout is counted", func() bool { return world.metric(way.listener(), "handshake_timeout") > before })
	return way.worksAgain()
}
