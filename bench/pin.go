package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/nacre-store/nacre/bench/internal/pin"
)

// pinClient keeps this process on its share of the processors and says so; without -pin it does nothing. release
// gives them back.
func (c *config) pinClient() (says string, release func(), err error) {
	if !c.pin {
		return "", func() {}, nil
	}
	own, redis, err := pin.Split()
	if err != nil {
		return "", nil, err
	}
	if err := pin.Process(os.Getpid(), own); err != nil {
		return "", nil, err
	}
	c.redisCPUs = redis
	was := runtime.GOMAXPROCS(len(own))
	return fmt.Sprintf("client on processors %v, Redis on %v", own, redis), func() {
		runtime.GOMAXPROCS(was)
		_ = pin.Process(os.Getpid(), append(own, redis...)) // As it was: what could be left is a slower exit.
	}, nil
}

// pinServer keeps a private server on its share.
func (c *config) pinServer(pid int) error {
	if c.redisCPUs == nil {
		return nil
	}
	return pin.Process(pid, c.redisCPUs)
}
