package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// One line of a trace.
type entry struct {
	// Milliseconds from the start; absent: as soon as the user has its previous answer.
	At *float64 `json:"at"`
	// Number of the user, from 0.
	User int `json:"user"`
	// host:port of another server than -target.
	Server string `json:"server"`
	// Name under which the request is counted.
	Route  string `json:"route"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Body   string `json:"body"`
}

// A request that is ready to be sent.
type request struct {
	due     time.Duration
	closed  bool
	address string
	route   string
	content []byte
}

const longestLine = 4 << 20

// Reads the users' requests, each user's in the order of the file.
func readTrace(chosen options) ([]*user, error) {
	file, err := os.Open(chosen.trace)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	byNumber := map[int]*user{}
	var users []*user
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 64<<10), longestLine)
	for number := 1; lines.Scan(); number++ {
		var one entry
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("line %d of the trace: %w", number, err)
		}
		if one.Route == "" || one.Path == "" {
			return nil, fmt.Errorf("line %d of the trace has no route or no path", number)
		}
		owner := byNumber[one.User]
		if owner == nil {
			owner = &user{timeout: chosen.timeout, connections: map[string]*connection{}}
			byNumber[one.User] = owner
			users = append(users, owner)
		}
		if one.Server == "" {
			one.Server = chosen.target.Host
		}
		made := request{
			closed:  one.At == nil,
			address: one.Server,
			route:   one.Route,
			content: format(chosen, one),
		}
		if one.At != nil {
			made.due = time.Duration(*one.At * float64(time.Millisecond))
		}
		owner.requests = append(owner.requests, made)
	}
	return users, lines.Err()
}

func format(chosen options, one entry) []byte {
	method := one.Method
	if method == "" {
		method = "POST"
	}
	var content bytes.Buffer
	fmt.Fprintf(&content, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, one.Path, one.Server)
	for _, header := range chosen.headers {
		fmt.Fprintf(&content, "%s\r\n", header)
	}
	if one.Body != "" {
		fmt.Fprintf(&content, "content-type: application/json\r\ncontent-length: %d\r\n", len(one.Body))
	}
	fmt.Fprintf(&content, "\r\n%s", one.Body)
	return content.Bytes()
}
