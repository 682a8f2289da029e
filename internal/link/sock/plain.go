package sock

import (
	"errors"
	"io"
)

// readPlain is ReadLoop for what is no socket of the system.
func (c *Conn) readPlain(onData func(p []byte) error) error {
	buf := make([]byte, 4<<10)
	for {
		n, err := c.nc.Read(buf)
		if n > 0 {
			if err := onData(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			c.sawEnd()
		}
		if err != nil {
			return err
		}
	}
}
