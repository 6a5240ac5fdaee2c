package repodesk

import (
	"cmp"
	"iter"
	"net"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"

	"example.com/repodesk/gen/repo"
)

func dec(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func fullTrade() repo.Trade {
	return repo.Trade{
		TradeID:      "T-1",
		Direction:    repo.DirectionRepo,
		Status:       repo.TradeStatusSettled,
		SecurityID:   "US912810TM09",
		Currency:     repo.CurrencyUsd,
		Rate:         dec("0.05310"),
		Near:         repo.Leg{TsSettle: 1_700_000_000_123_456_789, Cash: dec("-1000000.00")},
		Far:          store.Some(repo.Leg{TsSettle: 2, Cash: dec("1000147.50"), Netted: store.Some(false)}),
		BookNumber:   7,
		LimitID:      repo.LimitID{Counterparty: "Bank: A/B 100%", Currency: repo.CurrencyUsd, BookNumber: 7},
		Trader:       "ann",
		DayCount:     repo.DayCountAct360,
		Callable:     store.Some(true),
		Priority:     store.Some[int64](-3),
		Vega:         store.Some(0.1),
		TsAgreed:     3,
		Confirmation: []byte{0x30, 0, 0xff},
		Legs:         []repo.Leg{{Cash: dec("1")}, {Cash: dec("2.50"), Netted: store.Some(true)}},
		Accruals:     map[string]decimal.Decimal{"2026-01-02": dec("147.50"), "2026-01-05": dec("442.50")},
		ByDay:        map[string]repo.Leg{"2026-01-02": {Cash: dec("3")}},
		Links:        []repo.TradeID{"T-0"},
		Resets:       []store.Timestamp{4, 5},
		Flags:        map[string]bool{"gc": true, "special": false},
		EventCount:   store.Some[int64](0),
	}
}

func fullSecurity() repo.Security {
	return repo.Security{
		SecurityID: "US912810TM09", Name: "T 4 11/15/52", Rating: repo.RatingAa, Coupon: dec("0.04000"),
		TsMaturity: 2_615_000_000_000_000_000, PoolFactor: store.Some(1.0), Prospectus: []byte("%PDF"),
		Aliases: map[string]string{"CUSIP": "912810TM0"},
	}
}

func fullBook() repo.Book {
	return repo.Book{
		BookNumber: 7, Name: "matched", Open: true, Parent: 1,
		Ladder: []repo.Ladder{{Days: 1, Amount: dec("5")}, {Days: 7, Amount: dec("9")}},
		Bucket: store.Some(repo.Ladder{Days: 7, Amount: dec("9")}),
	}
}

func fullLimit() repo.Limit {
	return repo.Limit{
		Counterparty: "Bank: A/B 100%", Currency: repo.CurrencyUsd, BookNumber: 7,
		Amount: dec("50000000"), Used: store.Some(dec("1000000.00")),
		Fallback: repo.LimitID{Counterparty: "Group", Currency: repo.CurrencyEur},
	}
}

// same compares values; decimals have to agree in scale too.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	decimals := gocmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) && a.Exponent() == b.Exponent() })
	if d := gocmp.Diff(want, got, decimals); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// sorted returns the keys of all values in order.
func sorted[V any, K cmp.Ordered](t *testing.T, seq iter.Seq2[V, error], key func(V) K) []K {
	t.Helper()
	var keys []K
	for _, v := range collect(t, seq) {
		keys = append(keys, key(v))
	}
	slices.Sort(keys)
	return keys
}

func rueidisAddress(cfg store.Config) string {
	return net.JoinHostPort(cfg.Database.Host, strconv.Itoa(cfg.Database.Port))
}
