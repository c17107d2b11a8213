// gRPC through the real binary: grpc-go's interop cases directly and through Holdfast, then what Holdfast promises to gRPC
// clients besides: refusals, deadlines, cancellation, trailers, the log. Called by ../grpc.sh with the paths of Holdfast and
// of grpc-go's interop server; ends with "N passed, N failed".
package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
)

var complaints = os.Stderr

type tests struct{ passed, failed int }

func (self *tests) run(name string, test func() error) {
	began := time.Now()
	failure := func() (failure error) {
		defer func() {
			if said := recover(); said != nil {
				failure = fmt.Errorf("%v", said)
			}
		}()
		return test()
	}()
	if failure != nil {
		self.failed++
		fmt.Printf("FAILED %s: %v\n", name, failure)
		return
	}
	self.passed++
	if took := time.Since(began); took > 5*time.Second {
		fmt.Printf("%s took %.1f s\n", name, took.Seconds())
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: grpc HOLDFAST INTEROP_SERVER")
		os.Exit(2)
	}
	// The interop package tells of each iteration of a soak there.
	os.Stderr, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	world := startWorld(os.Args[1], os.Args[2])
	ways := []struct {
		label   string
		address string
		host    string
		with    *credentials
	}{
		{"directly", world.plain, "", nil},
		{"directly with TLS", world.encrypted, mainHost, nil},
		{"TLS to h2c", world.tlsAddress(), mainHost, world.credentials("https://" + mainHost + ":" + world.tlsPort)},
		{"TLS to TLS", world.tlsAddress(), encryptedHost, world.credentials("https://" + encryptedHost + ":" + world.tlsPort)},
		{"plain to h2c", world.meshAddress(), "", world.credentials("http://" + world.meshAddress())},
	}
	// All at once: an idle machine is nobody's, and some cases wait for seconds.
	counts := make([]tests, len(ways)+1)
	var running sync.WaitGroup
	for i, way := range ways {
		running.Go(func() {
			runInterop(&counts[i], way.label, func() *channel {
				options := []grpc.DialOption{grpc.WithDefaultServiceConfig(interopService)}
				if way.with != nil {
					options = append(options, way.with.options()...)
				}
				return world.dial(way.address, way.host, options...)
			})
			fmt.Printf("interop, %s: %d passed, %d failed\n", way.label, counts[i].passed, counts[i].failed)
		})
	}
	running.Wait()
	promises := &counts[len(ways)]
	runPromises(promises, world)
	fmt.Printf("promises: %d passed, %d failed\n", promises.passed, promises.failed)
	world.stop()
	var all tests
	for _, count := range counts {
		all.passed += count.passed
		all.failed += count.failed
	}
	fmt.Printf("%d passed, %d failed\n", all.passed, all.failed)
	if all.failed != 0 {
		os.Exit(1)
	}
}

func contains(text, part string) error {
	if !strings.Contains(text, part) {
		return fmt.Errorf("%q is not in %q", part, text)
	}
	return nil
}
