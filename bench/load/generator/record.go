package main

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Times in microseconds, since a run has many.
type times []int32

type series struct {
	latencies times
	// From sent to answered: what a closed loop would report.
	service times
	// Latencies of answers whose statuses of x-cache are all hits.
	cached   times
	failed   int
	bytes    int64
	failures map[string]int
	// Answers by each status of x-cache; an answer with several statuses counts for each.
	cache    map[string]int
	servedBy map[string]int
}

func newSeries() *series {
	return &series{failures: map[string]int{}, cache: map[string]int{}, servedBy: map[string]int{}}
}

type recorder struct {
	mutex      sync.Mutex
	routes     map[string]*series
	second     map[string]*series
	lag        times
	secondLag  time.Duration
	secondSent int
	sent       int
	ended      int
	reconnects int
	// Users with a connection now, the most at a time, and the most requests in progress.
	users     int
	peakUsers int
	peakOpen  int
}

func newRecorder() *recorder {
	return &recorder{routes: map[string]*series{}, second: map[string]*series{}}
}

// The lag is the generator's own delay: a user that was free sent the request later than it was due.
func (all *recorder) onSent(lag time.Duration, wasFree bool) {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	all.sent++
	all.secondSent++
	all.peakOpen = max(all.peakOpen, all.sent-all.ended)
	if wasFree {
		all.lag = append(all.lag, microseconds(lag))
		all.secondLag = max(all.secondLag, lag)
	}
}

// A user has opened its first connection, or closed its last one.
func (all *recorder) onUser(isConnected bool) {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	if isConnected {
		all.users++
	} else {
		all.users--
	}
	all.peakUsers = max(all.peakUsers, all.users)
}

func (all *recorder) onReconnect() {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	all.reconnects++
}

func (all *recorder) onEnded(route string, latency, service time.Duration, result outcome) {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	all.ended++
	for _, table := range []map[string]*series{all.routes, all.second} {
		one := table[route]
		if one == nil {
			one = newSeries()
			table[route] = one
		}
		one.add(latency, service, result)
	}
}

func (one *series) add(latency, service time.Duration, result outcome) {
	one.bytes += result.bytes
	if result.servedBy != "" {
		one.servedBy[result.servedBy]++
	}
	if result.failure != "" {
		one.failed++
		one.failures[result.failure]++
		return
	}
	one.latencies = append(one.latencies, microseconds(latency))
	one.service = append(one.service, microseconds(service))
	if result.cache == "" {
		return
	}
	isHit := true
	for status := range strings.SplitSeq(result.cache, ",") {
		status = strings.TrimSpace(status)
		one.cache[status]++
		isHit = isHit && status != "MISS"
	}
	if isHit {
		one.cached = append(one.cached, microseconds(latency))
	}
}

func microseconds(duration time.Duration) int32 {
	return int32(min(duration.Microseconds(), math.MaxInt32))
}

// Milliseconds.
type quantiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

type routeSecond struct {
	Answered int     `json:"answered"`
	Failed   int     `json:"failed"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
	Max      float64 `json:"max"`
}

type secondReport struct {
	Second int `json:"second"`
	Sent   int `json:"sent"`
	Open   int `json:"open"`
	// Longest lag of the generator in the second, in milliseconds.
	MaxLag float64                `json:"maxLag"`
	Routes map[string]routeSecond `json:"routes"`
}

// Returns what ended since the last call, and begins a new second.
func (all *recorder) takeSecond(second int) secondReport {
	all.mutex.Lock()
	taken := all.second
	report := secondReport{
		Second: second,
		Sent:   all.secondSent,
		Open:   all.sent - all.ended,
		MaxLag: float64(all.secondLag.Microseconds()) / 1000,
		Routes: map[string]routeSecond{},
	}
	all.second, all.secondSent, all.secondLag = map[string]*series{}, 0, 0
	all.mutex.Unlock()
	for route, one := range taken {
		slices.Sort(one.latencies)
		report.Routes[route] = routeSecond{
			Answered: len(one.latencies),
			Failed:   one.failed,
			P50:      one.latencies.quantile(0.5),
			P99:      one.latencies.quantile(0.99),
			Max:      one.latencies.quantile(1),
		}
	}
	return report
}

type routeSummary struct {
	Answered int            `json:"answered"`
	Failed   int            `json:"failed"`
	Bytes    int64          `json:"bytes"`
	Failures map[string]int `json:"failures"`
	Cache    map[string]int `json:"cache"`
	ServedBy map[string]int `json:"servedBy"`
	Latency  quantiles      `json:"latency"`
	Service  quantiles      `json:"service"`
	// Answers that were hits only.
	Hits   int       `json:"hits"`
	Cached quantiles `json:"cached"`
	// Pairs of a share and the latency that it does not exceed, for a plot.
	Curve [][2]float64 `json:"curve"`
}

type summary struct {
	Interrupted bool                    `json:"interrupted"`
	Seconds     float64                 `json:"seconds"`
	Sent        int                     `json:"sent"`
	PeakUsers   int                     `json:"peakUsers"`
	PeakOpen    int                     `json:"peakOpen"`
	Reconnects  int                     `json:"reconnects"`
	Lag         quantiles               `json:"lag"`
	CpuSeconds  float64                 `json:"cpuSeconds"`
	Routes      map[string]routeSummary `json:"routes"`
}

func (all *recorder) summarise(elapsed time.Duration) summary {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	result := summary{
		Seconds:    elapsed.Seconds(),
		Sent:       all.sent,
		PeakUsers:  all.peakUsers,
		PeakOpen:   all.peakOpen,
		Reconnects: all.reconnects,
		Lag:        all.lag.quantiles(),
		CpuSeconds: cpuSeconds(),
		Routes:     map[string]routeSummary{},
	}
	for route, one := range all.routes {
		result.Routes[route] = routeSummary{
			Answered: len(one.latencies),
			Failed:   one.failed,
			Bytes:    one.bytes,
			Failures: maps.Clone(one.failures),
			Cache:    maps.Clone(one.cache),
			Hits:     len(one.cached),
			Cached:   one.cached.quantiles(),
			ServedBy: maps.Clone(one.servedBy),
			Latency:  one.latencies.quantiles(),
			Service:  one.service.quantiles(),
			Curve:    one.latencies.curve(),
		}
	}
	return result
}

func (all times) quantiles() quantiles {
	slices.Sort(all)
	return quantiles{
		P50:  all.quantile(0.5),
		P90:  all.quantile(0.9),
		P95:  all.quantile(0.95),
		P99:  all.quantile(0.99),
		P999: all.quantile(0.999),
		Max:  all.quantile(1),
	}
}

// The smallest of the sorted values that this share of them does not exceed, in milliseconds.
func (all times) quantile(share float64) float64 {
	if len(all) == 0 {
		return 0
	}
	rank := int(math.Ceil(share*float64(len(all))-1e-9)) - 1
	return float64(all[min(max(rank, 0), len(all)-1)]) / 1000
}

// Shares from 0 to 1 − 10⁻⁵, in equal steps of "number of nines".
func (all times) curve() [][2]float64 {
	points := [][2]float64{}
	for nines := 0.0; nines <= 5; nines += 0.125 {
		rest := math.Pow(10, -nines)
		if rest*float64(len(all)) < 1 {
			break
		}
		points = append(points, [2]float64{1 - rest, all.quantile(1 - rest)})
	}
	return points
}

// Processor time of this process.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	seconds := func(value syscall.Timeval) float64 { return float64(value.Sec) + float64(value.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}
