package sim

import (
	"testing"

	"github.com/shopspring/decimal"
)

func TestAccountsBalance(t *testing.T) {
	for _, a := range flow().Accounts {
		want := map[string]decimal.Decimal{"USDT": decimal.NewFromInt(10_000_000), "BUSD": decimal.NewFromInt(5_000_000)}
		for _, p := range flow().Positions {
			if p.Row.AccountID != a.Row.AccountID {
				continue
			}
			cur := p.Row.SettlementCurrency
			want[cur] = want[cur].Add(p.Row.RealizedPnl.Value)
			for _, c := range p.Cycles {
				want[cur] = want[cur].Add(c.RealizedPnl)
			}
		}
		// Every fee of an order is in one cycle of one position, split fills included.
		paid, charged := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
		for _, o := range flow().Orders {
			if o.Row.AccountID == a.Row.AccountID {
				for cur, fee := range o.Row.Commissions {
					paid[cur] = paid[cur].Add(fee)
				}
			}
		}
		for _, p := range flow().Positions {
			if p.Row.AccountID == a.Row.AccountID {
				cur := p.Row.SettlementCurrency
				charged[cur] = charged[cur].Add(p.Row.Commissions[cur])
				for _, c := range p.Cycles {
					charged[cur] = charged[cur].Add(c.Commissions[cur])
				}
			}
		}
		for cur := range want {
			if !paid[cur].Equal(charged[cur]) || !paid[cur].Equal(a.Row.Commissions[cur]) {
				t.Errorf("%s %s: orders paid %s, positions were charged %s, the account says %s", a.Row.AccountID, cur, paid[cur], charged[cur], a.Row.Commissions[cur])
			}
		}
		locked := map[string]decimal.Decimal{}
		for _, m := range a.Margins {
			locked[m.Currency] = locked[m.Currency].Add(m.Initial)
		}
		for _, b := range a.Balances {
			if !b.Total.Equal(want[b.Currency]) {
				t.Errorf("%s %s: total %s, deposits and results of all positions %s", a.Row.AccountID, b.Currency, b.Total, want[b.Currency])
			}
			if !b.Total.Equal(b.Locked.Add(b.Free)) || !b.Locked.Equal(locked[b.Currency]) {
				t.Errorf("%s %s: total %s, locked %s, free %s, margins %s", a.Row.AccountID, b.Currency, b.Total, b.Locked, b.Free, locked[b.Currency])
			}
		}
		if int64(len(a.Events)) != a.Row.EventCount.Value || a.Events[len(a.Events)-1].EventID != a.Row.LastEventID {
			t.Errorf("%s: %d events, row says %d", a.Row.AccountID, len(a.Events), a.Row.EventCount.Value)
		}
		for _, e := range a.Events {
			for _, b := range e.Balances {
				if !b.Total.Equal(b.Locked.Add(b.Free)) {
					t.Errorf("%s: event %s: %s + %s is not %s", a.Row.AccountID, e.EventID, b.Locked, b.Free, b.Total)
				}
			}
		}
	}
}
