package main

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// What grpc-go's interop client does, by its names. Left out: what needs Google's credentials, and pick_first_unary, which
// fails without Holdfast too, because grpc-go's server does not say who it is.
var interopCases = []struct {
	name string
	run  func(context.Context, *channel)
}{
	{"empty_unary", func(ctx context.Context, to *channel) { interop.DoEmptyUnaryCall(ctx, to.client) }},
	{"large_unary", func(ctx context.Context, to *channel) { interop.DoLargeUnaryCall(ctx, to.client) }},
	{"client_streaming", func(ctx context.Context, to *channel) { interop.DoClientStreaming(ctx, to.client) }},
	{"server_streaming", func(ctx context.Context, to *channel) { interop.DoServerStreaming(ctx, to.client) }},
	{"ping_pong", func(ctx context.Context, to *channel) { interop.DoPingPong(ctx, to.client) }},
	{"empty_stream", func(ctx context.Context, to *channel) { interop.DoEmptyStream(ctx, to.client) }},
	{"timeout_on_sleeping_server", func(ctx context.Context, to *channel) {
		interop.DoTimeoutOnSleepingServer(ctx, to.client)
	}},
	{"cancel_after_begin", func(ctx context.Context, to *channel) { interop.DoCancelAfterBegin(ctx, to.client) }},
	{"cancel_after_first_response", func(ctx context.Context, to *channel) {
		interop.DoCancelAfterFirstResponse(ctx, to.client)
	}},
	{"status_code_and_message", func(ctx context.Context, to *channel) { interop.DoStatusCodeAndMessage(ctx, to.client) }},
	{"special_status_message", func(ctx context.Context, to *channel) { interop.DoSpecialStatusMessage(ctx, to.client) }},
	{"custom_metadata", func(ctx context.Context, to *channel) { interop.DoCustomMetadata(ctx, to.client) }},
	{"unimplemented_method", func(ctx context.Context, to *channel) { interop.DoUnimplementedMethod(ctx, to.conn) }},
	{"unimplemented_service", func(ctx context.Context, to *channel) {
		interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(to.conn))
	}},
	{"orca_per_rpc", func(ctx context.Context, to *channel) { interop.DoORCAPerRPCTest(ctx, to.client) }},
	{"orca_oob", func(ctx context.Context, to *channel) { interop.DoORCAOOBTest(ctx, to.client) }},
	{"rpc_soak", func(ctx context.Context, to *channel) {
		soak(ctx, func() (*grpc.ClientConn, func()) { return to.conn, func() {} })
	}},
	{"channel_soak", func(ctx context.Context, to *channel) {
		soak(ctx, func() (*grpc.ClientConn, func()) {
			each := to.again()
			return each.conn, func() { each.conn.Close() }
		})
	}},
}

func soak(ctx context.Context, channel func() (*grpc.ClientConn, func())) {
	interop.DoSoakTest(ctx, interop.SoakTestConfig{
		RequestSize: 271828, ResponseSize: 314159, NumWorkers: 4, Iterations: 40, MaxFailures: 0,
		PerIterationMaxAcceptableLatency: patience, OverallTimeout: patience, ChannelForTest: channel,
	})
}

// The policy that orca_per_rpc and orca_oob look at the server's load reports through; it leaves other cases alone.
const interopService = `{"loadBalancingConfig": [{"test_backend_metrics_load_balancer": {}}]}`

type interopFailure string

// The package says by a fatal line that a case failed, which would end the program.
type fatalIsFailure struct{ grpclog.LoggerV2 }

func (fatalIsFailure) Fatal(args ...any)   { panic(interopFailure(fmt.Sprint(args...))) }
func (fatalIsFailure) Fatalln(args ...any) { panic(interopFailure(fmt.Sprint(args...))) }
func (fatalIsFailure) Fatalf(format string, args ...any) {
	panic(interopFailure(fmt.Sprintf(format, args...)))
}

func init() {
	grpclog.SetLoggerV2(fatalIsFailure{grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)})
}

func runInterop(tests *tests, label string, dial func() *channel) {
	for _, each := range interopCases {
		tests.run(label+", "+each.name, func() (failure error) {
			defer func() {
				switch said := recover().(type) {
				case nil:
				case interopFailure:
					failure = fmt.Errorf("%s", string(said))
				default:
					panic(said)
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			to := dial()
			defer to.conn.Close()
			each.run(ctx, to)
			return nil
		})
	}
}
