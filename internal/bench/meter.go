package bench

import (
	"os"
	"time"
)

// meter measures the CPU of the server and of the generator over a stretch of time.
type meter struct {
	pid          int
	start        time.Time
	server, self time.Duration
	known        bool // CPU times can be read here
}

// usage is what a meter has seen.
type usage struct {
	elapsed      time.Duration
	server, self time.Duration
	known        bool
}

// startMeter begins; pid 0 is a server whose CPU cannot be read.
func startMeter(pid int) meter {
	m := meter{pid: pid, start: time.Now()}
	m.server, m.self, m.known = readCPU(pid)
	return m
}

func (m meter) stop() usage {
	u := usage{elapsed: time.Since(m.start)}
	server, self, known := readCPU(m.pid)
	u.known = m.known && known
	u.server, u.self = server-m.server, self-m.self
	return u
}

func readCPU(pid int) (server, self time.Duration, known bool) {
	if pid == 0 {
		return 0, 0, false
	}
	server, err := cpuTime(pid)
	if err != nil {
		return 0, 0, false
	}
	self, err = cpuTime(os.Getpid())
	return server, self, err == nil
}
