// Replays a trace of HTTP requests. Each line of the trace names the time at which a request is due and
// the user that sends it; a user has one connection and one open request at a time. A latency counts from
// the time at which the request was due, so a stall of the server shows in every request that it delays:
// no coordinated omission (Gil Tene, "How NOT to Measure Latency"). A request without a due time is sent
// as soon as its user has the previous answer (closed loop).
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type options struct {
	target *url.URL
	// Lines of every request.
	headers []string
	trace   string
	timeout time.Duration
	grace   time.Duration
}

func main() {
	chosen, err := readOptions()
	if err == nil {
		err = run(chosen)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load generator:", err)
		os.Exit(1)
	}
}

func readOptions() (options, error) {
	var chosen options
	target := flag.String("target", "", "base URL: http://host:port")
	flag.StringVar(&chosen.trace, "trace", "", "file with one request per line, as JSON")
	flag.DurationVar(&chosen.timeout, "timeout", 20*time.Second, "time until a request counts as failed")
	flag.DurationVar(&chosen.grace, "grace", 30*time.Second, "time after the last due request in which late ones are still sent")
	flag.Parse()
	parsed, err := url.Parse(*target)
	if err != nil || parsed.Scheme != "http" || parsed.Port() == "" {
		return chosen, fmt.Errorf("-target is %q; allowed: http://host:port", *target)
	}
	chosen.target = parsed
	chosen.headers, err = parseHeaders(os.Getenv("LOAD_HEADERS"))
	return chosen, err
}

// Reads lines of "name: value". They are no flags: every user of the machine may read those.
func parseHeaders(text string) ([]string, error) {
	var headers []string
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			continue
		}
		if strings.Contains(line, "\r") || !strings.Contains(line, ":") {
			return nil, errors.New("LOAD_HEADERS has a line that is not \"name: value\"")
		}
		headers = append(headers, line)
	}
	return headers, nil
}

func run(chosen options) error {
	users, err := readTrace(chosen)
	if err != nil {
		return err
	}
	if len(users) == 0 {
		return errors.New("the trace has no requests")
	}
	recorder := newRecorder()
	start := time.Now().Add(200 * time.Millisecond)
	var interrupted atomic.Bool
	stopped := make(chan struct{})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer close(stopped)
		select {
		case <-signals:
			interrupted.Store(true)
		case <-endOf(users, start, chosen.grace):
		}
	}()
	var group sync.WaitGroup
	for _, one := range users {
		group.Go(func() { one.run(start, recorder, stopped) })
	}
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	output := json.NewEncoder(os.Stdout)
	time.Sleep(time.Until(start))
	tick := time.NewTicker(time.Second)
	for second := 0; ; second++ {
		select {
		case <-tick.C:
			if err := output.Encode(map[string]any{"second": recorder.takeSecond(second)}); err != nil {
				return err
			}
			continue
		case <-done:
		}
		elapsed := time.Since(start)
		if err := output.Encode(map[string]any{"second": recorder.takeSecond(second)}); err != nil {
			return err
		}
		summary := recorder.summarise(elapsed)
		summary.Interrupted = interrupted.Load()
		return output.Encode(map[string]any{"summary": summary})
	}
}

// The time at which an overloaded server gets no more of the trace; never in a closed loop, whose length is not known.
func endOf(users []*user, start time.Time, grace time.Duration) <-chan time.Time {
	last := time.Duration(0)
	for _, one := range users {
		for _, next := range one.requests {
			if next.closed {
				return nil
			}
			last = max(last, next.due)
		}
	}
	return time.After(time.Until(start.Add(last + grace)))
}
