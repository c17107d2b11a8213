// Bad networks through the real binary: Shopify's toxiproxy stands between clients and Holdfast, or between Holdfast and its
// backend, and makes the way slow, narrow, crumbling, silent or cut. Called by ../toxiproxy.sh with the path of Holdfast; ends
// with "N passed, N failed".
package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

type test struct {
	name string
	run  func(*world, *way) error
	way  way
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: toxiproxy HOLDFAST")
		os.Exit(2)
	}
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxiproxy tells of every toxic
	tests := allTests()
	world := startWorld(os.Args[1], tests)
	// At once, a few: an idle machine is nobody's, and most of them wait.
	failures := make([]error, len(tests))
	var running sync.WaitGroup
	places := make(chan struct{}, 8)
	for i := range tests {
		running.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			failures[i] = world.carryOut(&tests[i])
		})
	}
	running.Wait()
	passed, failed := 0, 0
	for i, failure := range failures {
		if failure == nil {
			passed++
			continue
		}
		failed++
		fmt.Printf("FAILED %s: %v\n", tests[i].name, failure)
	}
	if failure := world.end(); failure != nil {
		failed++
		fmt.Printf("FAILED at the end: %v\n", failure)
	} else {
		passed++
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed != 0 {
		os.Exit(1)
	}
}

func (self *world) carryOut(test *test) (failure error) {
	defer func() {
		if said := recover(); said != nil {
			failure = fmt.Errorf("%v", said)
		}
	}()
	test.way.open(self)
	defer test.way.close()
	began := time.Now()
	if failure = test.run(self, &test.way); failure != nil {
		return failure
	}
	if took := time.Since(began); took > 20*time.Second {
		fmt.Printf("%s took %.1f s\n", test.name, took.Seconds())
	}
	return nil
}
