package main

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"strconv"
	"time"
)

type result struct {
	took   []time.Duration
	failed int
	err    error
}

// client sends requests one after another until the time is over.
func client(host string, requests [][]byte, again bool, until time.Time) (r result) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return result{err: err}
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	for i := 0; time.Now().Before(until); i++ {
		if i == len(requests) {
			if !again {
				return r
			}
			i = 0
		}
		begin := time.Now()
		if _, err := conn.Write(requests[i]); err != nil {
			r.err = err
			return r
		}
		ok, err := answer(in)
		if err != nil {
			r.err = err
			return r
		}
		r.took = append(r.took, time.Since(begin))
		if !ok {
			r.failed++
		}
	}
	return r
}

// answer reads one response with as little work as possible.
func answer(in *bufio.Reader) (ok bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return false, err
	}
	ok = bytes.HasPrefix(line, []byte("HTTP/1.1 200"))
	length := -1
	for {
		line, err = in.ReadSlice('\n')
		if err != nil {
			return false, err
		}
		if len(line) == 2 {
			break
		}
		if v, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return false, err
			}
		}
	}
	if length < 0 {
		return false, errors.New("an answer without Content-Length")
	}
	_, err = in.Discard(length)
	return ok, err
}
