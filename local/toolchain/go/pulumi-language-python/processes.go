package main

import (
	"context"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long a Python process may take to end after it was asked to.
const stopGrace = 5 * time.Second

// processes runs Python processes so that all of them can be ended at once.
type processes struct {
	mutex   sync.Mutex
	cancels map[int]context.CancelFunc
	next    int
}

func newProcesses() *processes {
	return &processes{cancels: map[int]context.CancelFunc{}}
}

// context returns a context for one process, which ends with ctx, with stop, or with release.
func (p *processes) context(ctx context.Context) (running context.Context, release func()) {
	running, cancel := context.WithCancel(ctx)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	key := p.next
	p.next++
	p.cancels[key] = cancel
	return running, func() {
		cancel()
		p.mutex.Lock()
		defer p.mutex.Unlock()
		delete(p.cancels, key)
	}
}

// stop asks every process to end.
func (p *processes) stop() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, cancel := range p.cancels {
		cancel()
	}
}

// endGently makes the end of the command's context a SIGTERM, and a kill after stopGrace.
func endGently(command *exec.Cmd) {
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopGrace
}
