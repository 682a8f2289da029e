package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// startWait is how long a child may take to say where it listens.
const startWait = 30 * time.Second

// stopWait is how long a child may take to end when told.
const stopWait = 15 * time.Second

var loopback = regexp.MustCompile(`127\.0\.0\.1:[1-9][0-9]*`)

// child is a process that this one has started: its CPU is counted apart.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer // a peer ends when it is closed, so none outlives a generator that was killed
	addr  string
	ended chan error // gives one value when the process has ended
}

// startChild runs program and waits until it has printed the loopback address it
// listens on. Settings for a server in the environment are not passed on.
func startChild(ctx context.Context, program string, args ...string) (*child, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = environment()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, input, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = input, input
	err = cmd.Start()
	input.Close() // the child has its own
	if err != nil {
		output.Close()
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	c := &child{cmd: cmd, stdin: stdin, ended: make(chan error, 1)}
	found := make(chan string, 1)
	said := new(strings.Builder)
	go func() {
		defer output.Close()
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			if c.addr != "" {
				continue
			}
			fmt.Fprintln(said, lines.Text())
			if addr := loopback.FindString(lines.Text()); addr != "" {
				c.addr = addr
				found <- addr
			}
		}
		_, _ = io.Copy(io.Discard, output) // a line too long must not block the child
		c.ended <- cmd.Wait()
	}()
	select {
	case <-found:
		return c, nil
	case err := <-c.ended:
		return nil, fmt.Errorf("%s ended before it listened: %w: %s", args[0], errors.Join(err), said)
	case <-time.After(startWait):
		err = fmt.Errorf("%s did not say where it listens in %s", args[0], startWait)
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, c.stop())
}

func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LINNET_") {
			env = append(env, v)
		}
	}
	return env
}

// kill ends the child at once, as a crash does.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
	c.stdin.Close()
}

// stop tells the child to end and waits for it; one that does not is killed.
func (c *child) stop() error {
	c.stdin.Close()
	if runtime.GOOS == "windows" {
		_ = c.cmd.Process.Kill() // there is no gentler way; the folder is thrown away
	} else {
		_ = c.cmd.Process.Signal(os.Interrupt)
	}
	select {
	case <-c.ended:
		return nil
	case <-time.After(stopWait):
		_ = c.cmd.Process.Kill()
		<-c.ended
		return fmt.Errorf("%s did not end in %s and was killed", c.cmd.Args[1], stopWait)
	}
}
