package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

type user struct {
	timeout  time.Duration
	requests []request
	// By address: one for each server of the trace.
	connections map[string]*connection
	isConnected bool
}

type connection struct {
	socket *net.TCPConn
	reader *bufio.Reader
}

// What became of a request. An empty failure: a whole answer with a status of 2xx.
type outcome struct {
	failure  string
	bytes    int64
	cache    string
	servedBy string
}

func (one *user) run(start time.Time, recorder *recorder, stopped <-chan struct{}) {
	defer one.closeAll(recorder)
	timer := time.NewTimer(0)
	for _, next := range one.requests {
		due := time.Now()
		wasFree := false
		if !next.closed {
			due = start.Add(next.due)
		} else if due.Before(start) {
			due = start
		}
		if wait := time.Until(due); wait > 0 {
			wasFree = true
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-stopped:
				return
			}
		}
		select {
		case <-stopped:
			return
		default:
		}
		sent := time.Now()
		recorder.onSent(sent.Sub(due), wasFree)
		result := one.send(next, recorder)
		ended := time.Now()
		recorder.onEnded(next.route, ended.Sub(due), ended.Sub(sent), result)
	}
}

// Sends a request and reads the whole answer. The connection is opened when it is needed; the time for it counts.
func (one *user) send(next request, recorder *recorder) outcome {
	deadline := time.Now().Add(one.timeout)
	open, err := one.connect(next.address, deadline, recorder)
	one.count(recorder)
	if err != nil {
		return outcome{failure: "connect: " + reasonOf(err)}
	}
	result, isReusable := open.exchange(next.content)
	if !isReusable {
		open.socket.Close()
		delete(one.connections, next.address)
		one.count(recorder)
	}
	return result
}

func (one *user) connect(address string, deadline time.Time, recorder *recorder) (*connection, error) {
	if open := one.connections[address]; open != nil {
		open.socket.SetDeadline(deadline)
		if !isClosed(open.socket) {
			return open, nil
		}
		// A server may close an idle connection at any time; clients notice it before they send.
		open.socket.Close()
		recorder.onReconnect()
	}
	dialer := net.Dialer{Deadline: deadline}
	socket, err := dialer.Dial("tcp", address)
	if err != nil {
		delete(one.connections, address)
		return nil, err
	}
	socket.SetDeadline(deadline)
	open := &connection{socket.(*net.TCPConn), bufio.NewReaderSize(socket, 8<<10)}
	one.connections[address] = open
	return open, nil
}

func (one *user) closeAll(recorder *recorder) {
	for _, open := range one.connections {
		open.socket.Close()
	}
	clear(one.connections)
	one.count(recorder)
}

// Tells the recorder whether the user has become connected, or has ceased to be.
func (one *user) count(recorder *recorder) {
	if isConnected := len(one.connections) > 0; isConnected != one.isConnected {
		one.isConnected = isConnected
		recorder.onUser(isConnected)
	}
}

// Returns what became of the request, and whether the connection can take another one.
func (open *connection) exchange(content []byte) (outcome, bool) {
	if _, err := open.socket.Write(content); err != nil {
		return outcome{failure: "send: " + reasonOf(err)}, false
	}
	answer, err := http.ReadResponse(open.reader, nil)
	if err != nil {
		return outcome{failure: "answer: " + reasonOf(err)}, false
	}
	read, err := io.Copy(io.Discard, answer.Body)
	result := outcome{
		bytes:    read,
		cache:    answer.Header.Get("x-cache"),
		servedBy: answer.Header.Get("x-served-by"),
	}
	if err != nil {
		result.failure = "answer cut off: " + reasonOf(err)
		return result, false
	}
	if answer.StatusCode/100 != 2 {
		result.failure = fmt.Sprintf("status %d", answer.StatusCode)
	}
	return result, !answer.Close
}

// Whether the server has closed the connection, or sent something that nobody asked for.
func isClosed(socket *net.TCPConn) bool {
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	closed := true
	err = raw.Read(func(descriptor uintptr) bool {
		var buffer [1]byte
		_, _, err := syscall.Recvfrom(int(descriptor), buffer[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = !errors.Is(err, syscall.EAGAIN)
		return true
	})
	return closed || err != nil
}

// Without addresses and ports, so that equal reasons are counted together.
func reasonOf(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "timeout"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "connection closed"
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	words := err.Error()
	return strings.TrimSpace(words[strings.LastIndex(words, ": ")+1:])
}
