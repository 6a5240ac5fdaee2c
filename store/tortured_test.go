package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
)

// tortured is one store behind a proxy of its own.
type tortured struct {
	trading.Tables
	s     *store.Store
	proxy *faultproxy.Proxy
	floor []atomic.Int64 // by row: what the next call must give at least
	ops   atomic.Int64
}

// Half of the rows are of a table whose rows expire, in a day.
var codes, names = func() (c []trading.CurrencyCode, n []trading.VenueCode) {
	for k := range hotRows + coldRows {
		c = append(c, trading.CurrencyCode(fmt.Sprintf("C%05d", k)))
		n = append(n, trading.VenueCode(fmt.Sprintf("V%05d", k)))
	}
	return c, n
}()

func currency(k int, v int64) trading.Currency {
	return trading.Currency{CurrencyCode: codes[k], Precision: v, CurrencyType: trading.CurrencyTypeCrypto}
}

func venue(k int, v int64) trading.Venue {
	return trading.Venue{VenueCode: names[k], TsEvent: store.Timestamp(v)}
}

func (s *tortured) raise(k int, v int64) {
	for {
		was := s.floor[k].Load()
		if v <= was || s.floor[k].CompareAndSwap(was, v) {
			return
		}
	}
}

var errNothing = errors.New("nothing to check")

func (s *tortured) get(ctx context.Context, k int, opts ...store.ReadOption) (int64, error) {
	if k%2 == 0 {
		c, err := s.Currencies.Get(ctx, codes[k], opts...)
		return c.Precision, err
	}
	v, err := s.Venues.Get(ctx, names[k], opts...)
	return int64(v.TsEvent), err
}

func (s *tortured) peek(k int) (int64, error) {
	if k%2 == 0 {
		if c, ok := s.Currencies.Peek(codes[k]); ok {
			return c.Precision, nil
		}
	} else if v, ok := s.Venues.Peek(names[k]); ok {
		return int64(v.TsEvent), nil
	}
	return 0, errNothing
}

func (s *tortured) getMany(ctx context.Context, k int) (int64, error) {
	if k%2 == 0 {
		for c, err := range s.Currencies.GetMany(ctx, codes[k]) {
			return c.Precision, err
		}
	}
	for v, err := range s.Venues.GetMany(ctx, names[k]) {
		return int64(v.TsEvent), err
	}
	return 0, errNothing
}

// update reads a row in Update and in a Commit, and writes nothing.
func (s *tortured) update(ctx context.Context, k int) (int64, error) {
	if k%2 == 0 {
		var v int64
		_, err := s.Currencies.Update(ctx, codes[k], func(c *trading.Currency) error { v = c.Precision; return errNothing })
		if err == errNothing {
			err = nil
		}
		return v, err
	}
	var v int64
	err := s.s.Commit(ctx, func(tx *store.Tx) error {
		n, err := trading.New(tx).Venues.Get(ctx, names[k])
		v = int64(n.TsEvent)
		return errors.Join(err, errNothing)
	})
	if errors.Is(err, errNothing) && !errors.Is(err, store.ErrUnavailable) {
		err = nil
	}
	return v, err
}

func number(id string) (n int) {
	if id != "" {
		_, _ = fmt.Sscanf(id[1:], "%d", &n)
	}
	return n
}

func (s *tortured) put(ctx context.Context, k int, v int64) error {
	odd := k%2 == 1
	switch rand.IntN(10) {
	case 0:
		return s.s.Commit(ctx, func(tx *store.Tx) error {
			if in := trading.New(tx); odd {
				return in.Venues.Put(ctx, venue(k, v))
			} else {
				return in.Currencies.Put(ctx, currency(k, v))
			}
		})
	case 1:
		if odd {
			return s.Venues.PutMany(ctx, func(yield func(trading.Venue) bool) { yield(venue(k, v)) })
		}
		return s.Currencies.PutMany(ctx, func(yield func(trading.Currency) bool) { yield(currency(k, v)) })
	case 2:
		var err error
		if odd {
			_, err = s.Venues.Update(ctx, names[k], func(r *trading.Venue) error { *r = venue(k, v); return nil })
		} else {
			_, err = s.Currencies.Update(ctx, codes[k], func(r *trading.Currency) error { *r = currency(k, v); return nil })
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if odd {
		return s.Venues.Put(ctx, venue(k, v))
	}
	return s.Currencies.Put(ctx, currency(k, v))
}
