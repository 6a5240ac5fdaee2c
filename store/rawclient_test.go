package store_test

import (
	"bufio"
	"net"
	"strconv"
	"sync"
)

// rawClient is the least that a client can do: it writes a command, reads the
// reply and looks at nothing. It allocates nothing a key.
type rawClient struct {
	conn net.Conn
	r    *bufio.Reader
	out  []byte
}

func dialRaw(addr string) (*rawClient, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &rawClient{conn: c, r: bufio.NewReaderSize(c, 512<<10)}, nil
}

func (c *rawClient) send(command string, args []string) error {
	b := append(c.out[:0], '*')
	b = strconv.AppendInt(b, int64(len(args)+1), 10)
	bulk := func(s string) {
		b = append(b, "\r\n$"...)
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(b, "\r\n"...)
		b = append(b, s...)
	}
	bulk(command)
	for _, a := range args {
		bulk(a)
	}
	c.out = append(b, "\r\n"...)
	_, err := c.conn.Write(c.out)
	return err
}

// head reads the number of a reply's first line.
func (c *rawClient) head() (int, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(line[1 : len(line)-2]))
}

// skip reads an array of bulk strings and returns how many bytes they had.
func (c *rawClient) skip() (int, error) {
	n, err := c.head()
	bytes := 0
	for range n {
		size, err := c.head()
		if err != nil {
			return 0, err
		}
		if size >= 0 {
			if _, err := c.r.Discard(size + 2); err != nil {
				return 0, err
			}
			bytes += size
		}
	}
	return bytes, err
}

// rawMGET reads all keys by MGETs of part keys on some connections at once and
// returns how many bytes the values had.
func rawMGET(addr string, keys []string, part, conns int) (bytes int, err error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for w := range conns {
		wg.Go(func() {
			sum := 0
			c, e := dialRaw(addr)
			if e == nil {
				defer func() { _ = c.conn.Close() }()
				for at := w * part; at < len(keys) && e == nil; at += conns * part {
					var n int
					if e = c.send("MGET", keys[at:min(at+part, len(keys))]); e == nil {
						n, e = c.skip()
					}
					sum += n
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if bytes += sum; e != nil {
				err = e
			}
		})
	}
	wg.Wait()
	return bytes, err
}
