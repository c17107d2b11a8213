package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A call that a backend saw end: which, why and when.
type sighting struct {
	method string
	err    error
	at     time.Time
}

// Calls that begin and end, as backends see them.
type sightings struct {
	began chan string
	ended chan sighting
}

func newSightings() sightings {
	return sightings{make(chan string, 1000), make(chan sighting, 1000)}
}

func (self sightings) awaitBegin(method string) {
	for {
		select {
		case began := <-self.began:
			if began == method {
				return
			}
		case <-time.After(patience):
			panic("no call of " + method + " has come to the backend")
		}
	}
}

func (self sightings) awaitEnd(method string) sighting {
	for {
		select {
		case ended := <-self.ended:
			if ended.method == method {
				return ended
			}
		case <-time.After(patience):
			panic("the backend has not seen the end of " + method)
		}
	}
}

// A gRPC server that does what the method's name begins with, whatever the service.
type witness struct {
	sightings
	address     string
	connections atomic.Int64
}

func startWitness(options ...grpc.ServerOption) *witness {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	self := &witness{sightings: newSightings(), address: listener.Addr().String()}
	server := grpc.NewServer(append(options, grpc.UnknownServiceHandler(self.handle), grpc.StatsHandler(self))...)
	go server.Serve(listener)
	return self
}

// Counts connections.
func (self *witness) HandleConn(_ context.Context, event stats.ConnStats) {
	if _, begins := event.(*stats.ConnBegin); begins {
		self.connections.Add(1)
	}
}
func (self *witness) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (self *witness) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (self *witness) HandleRPC(context.Context, stats.RPCStats)                         {}

var wideTrailers = metadata.Pairs(
	"twice", "one", "twice", "two", "empty", "", "picture-bin", "\x00\xff\r\n\x7f", "spaced", "a, b;c=\"d\"")

func (self *witness) handle(_ any, stream grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(stream)
	method := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case strings.HasPrefix(method, "Echo"): // as long as the client sends
		for {
			var message wrapperspb.BytesValue
			if err := stream.RecvMsg(&message); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if err := stream.SendMsg(&message); err != nil {
				return err
			}
		}
	case strings.HasPrefix(method, "Hang"): // until the call is cancelled
		self.began <- method
		<-stream.Context().Done()
		self.ended <- sighting{method, stream.Context().Err(), time.Now()}
		return status.FromContextError(stream.Context().Err()).Err()
	case strings.HasPrefix(method, "Refuse"): // before anything of the request was read
		stream.SetTrailer(metadata.Pairs("why", "not today"))
		return status.Error(codes.ResourceExhausted, "no more of these, 100% sure")
	case strings.HasPrefix(method, "Trailers"):
		stream.SendHeader(wideTrailers)
		stream.SendMsg(wrapperspb.Bytes([]byte("first")))
		stream.SetTrailer(wideTrailers)
		detailed, err := status.New(codes.FailedPrecondition, "grüße\n").WithDetails(wrapperspb.Bytes([]byte{0, 1, 255}))
		must(err)
		return detailed.Err()
	case strings.HasPrefix(method, "See"): // what came along
		seen, _ := metadata.FromIncomingContext(stream.Context())
		if deadline, has := stream.Context().Deadline(); has {
			seen.Set("deadline", time.Until(deadline).String())
		}
		text, err := json.Marshal(seen)
		must(err)
		return stream.SendMsg(wrapperspb.Bytes(text))
	}
	return status.Error(codes.Unimplemented, method)
}

// An HTTP/2 server that knows nothing of gRPC and its deadlines.
type rawBackend struct {
	sightings
	address string
}

func startRawBackend() *rawBackend {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	self := &rawBackend{newSightings(), listener.Addr().String()}
	server := &http.Server{Handler: self, Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	go server.Serve(listener)
	return self
}

func (self *rawBackend) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	method := request.URL.Path[strings.LastIndexByte(request.URL.Path, '/')+1:]
	self.began <- method
	if strings.HasPrefix(method, "Begin") || strings.HasPrefix(method, "Abort") {
		writer.Header().Set("Content-Type", "application/grpc")
		writer.Write([]byte{0, 0, 0, 0, 0})
		writer.(http.Flusher).Flush()
	}
	if strings.HasPrefix(method, "Abort") {
		panic(http.ErrAbortHandler)
	}
	<-request.Context().Done()
	self.ended <- sighting{method, context.Cause(request.Context()), time.Now()}
}
