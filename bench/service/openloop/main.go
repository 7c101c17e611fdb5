// Open loop: requests arrive as a Poisson process, independent of the answers, each from one of many
// users with its own connection. A latency counts from the time at which the request was due, not from
// when its user was free to send it. A stall of the server therefore shows in every request that it
// delays: no coordinated omission (Gil Tene, "How NOT to Measure Latency").
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type headerList []string

func (list *headerList) String() string { return strings.Join(*list, ", ") }

func (list *headerList) Set(header string) error {
	*list = append(*list, header)
	return nil
}

type options struct {
	url      *url.URL
	next     func(random *rand.Rand) []byte
	users    int
	rate     float64
	duration time.Duration
}

// The measurements of one user. A latency is the time from due to answered. A lateness is the time from
// due to sent while the user was free, which is the delay of the generator itself.
type sample struct {
	latencies  []time.Duration
	lateness   []time.Duration
	bytes      int64
	rejected   int
	unanswered int
}

func main() {
	chosen, err := readOptions()
	if err == nil {
		err = run(chosen)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openloop:", err)
		os.Exit(1)
	}
}

func readOptions() (options, error) {
	var headers headerList
	target := flag.String("url", "", "target of the POST requests")
	bodies := flag.String("bodies", "", "file with one JSON body per line")
	users := flag.Int("users", 1000, "connections")
	rate := flag.Float64("rate", 2000, "requests per second of all users")
	duration := flag.Duration("duration", 5*time.Second, "time in which requests arrive")
	once := flag.Bool("once", false, "send each body once, in the order of the file, instead of random bodies")
	flag.Var(&headers, "header", "`name: value`; may be repeated")
	flag.Parse()
	parsed, err := url.Parse(*target)
	if err != nil || parsed.Host == "" {
		return options{}, fmt.Errorf("-url %q is no URL with a host", *target)
	}
	content, err := os.ReadFile(*bodies)
	if err != nil {
		return options{}, err
	}
	requests := formatRequests(parsed, headers, content)
	if len(requests) == 0 || *users < 1 || *rate <= 0 {
		return options{}, errors.New("at least one body, one user and a positive rate are required")
	}
	next := randomBody(requests)
	if *once {
		next = bodiesInOrder(requests)
	}
	return options{parsed, next, *users, *rate, *duration}, nil
}

func randomBody(requests [][]byte) func(*rand.Rand) []byte {
	return func(random *rand.Rand) []byte { return requests[random.IntN(len(requests))] }
}

// Returns nil after the last body.
func bodiesInOrder(requests [][]byte) func(*rand.Rand) []byte {
	var count atomic.Int64
	return func(*rand.Rand) []byte {
		if at := count.Add(1); at <= int64(len(requests)) {
			return requests[at-1]
		}
		return nil
	}
}

func formatRequests(target *url.URL, headers headerList, content []byte) [][]byte {
	var requests [][]byte
	for body := range bytes.Lines(content) {
		body = bytes.TrimSuffix(body, []byte("\n"))
		var request bytes.Buffer
		fmt.Fprintf(&request, "POST %s HTTP/1.1\r\nHost: %s\r\n", target.RequestURI(), target.Host)
		for _, header := range append(headers, "content-type: application/json") {
			fmt.Fprintf(&request, "%s\r\n", header)
		}
		fmt.Fprintf(&request, "content-length: %d\r\n\r\n%s", len(body), body)
		requests = append(requests, request.Bytes())
	}
	return requests
}

func run(chosen options) error {
	users := make([]*user, chosen.users)
	for index := range users {
		one, err := connect(chosen, index)
		if err != nil {
			return err
		}
		users[index] = one
	}
	start := time.Now().Add(100 * time.Millisecond)
	var group sync.WaitGroup
	for _, one := range users {
		group.Go(func() { one.run(chosen, start) })
	}
	group.Wait()
	return report(users, time.Since(start))
}

type user struct {
	sample
	random *rand.Rand
	socket net.Conn
	reader *bufio.Reader
}

// Opens the connection and sends one request before the measurement starts.
func connect(chosen options, index int) (*user, error) {
	socket, err := net.Dial("tcp", chosen.url.Host)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(uint64(index), 0))
	one := &user{random: random, socket: socket, reader: bufio.NewReaderSize(socket, 16*1024)}
	if one.send(chosen); one.rejected+one.unanswered > 0 {
		return nil, fmt.Errorf("the first request of user %d got no 2xx answer", index)
	}
	one.sample = sample{}
	return one, nil
}

func (one *user) run(chosen options, start time.Time) {
	gap := float64(chosen.users) / chosen.rate * float64(time.Second)
	due := start
	for {
		due = due.Add(time.Duration(one.random.ExpFloat64() * gap))
		if due.Sub(start) > chosen.duration {
			return
		}
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
			one.lateness = append(one.lateness, time.Since(due))
		}
		if one.send(chosen) {
			one.latencies = append(one.latencies, time.Since(due))
		}
		if one.unanswered > 0 {
			return
		}
	}
}

// Reports whether the answer was a 2xx.
func (one *user) send(chosen options) bool {
	request := chosen.next(one.random)
	if request == nil {
		one.unanswered++
		return false
	}
	one.socket.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := one.socket.Write(request); err != nil {
		one.unanswered++
		return false
	}
	answer, err := http.ReadResponse(one.reader, nil)
	if err != nil {
		one.unanswered++
		return false
	}
	read, err := io.Copy(io.Discard, answer.Body)
	one.bytes += read
	if err != nil {
		one.unanswered++
		return false
	}
	if answer.StatusCode/100 != 2 {
		one.rejected++
		return false
	}
	return true
}

// Writes one line of JSON with times in microseconds, like the script of wrk.
func report(users []*user, elapsed time.Duration) error {
	var all sample
	for _, one := range users {
		all.latencies = append(all.latencies, one.latencies...)
		all.lateness = append(all.lateness, one.lateness...)
		all.bytes += one.bytes
		all.rejected += one.rejected
		all.unanswered += one.unanswered
	}
	slices.Sort(all.latencies)
	slices.Sort(all.lateness)
	return json.NewEncoder(os.Stdout).Encode(map[string]int64{
		"requests":     int64(len(all.latencies) + all.rejected),
		"microseconds": elapsed.Microseconds(),
		"bytes":        all.bytes,
		"p50":          quantile(all.latencies, 0.5),
		"p90":          quantile(all.latencies, 0.9),
		"p95":          quantile(all.latencies, 0.95),
		"p99":          quantile(all.latencies, 0.99),
		"p999":         quantile(all.latencies, 0.999),
		"max":          quantile(all.latencies, 1),
		"late":         quantile(all.lateness, 0.99),
		"rejected":     int64(all.rejected),
		"unanswered":   int64(all.unanswered),
	})
}

// Returns the smallest value that this share of the sorted values does not exceed.
func quantile(sorted []time.Duration, share float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(share*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)].Microseconds()
}
