package binance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

// VenueCode is this venue's code in instrument ids.
const VenueCode = "BINANCE"

// never is the delivery date of a perpetual: 2100-12-25.
const never = 4133404800000

// Rows is exchange information as rows, in the file's order.
type Rows struct {
	Venue       trading.Venue
	Currencies  []trading.Currency
	Instruments []trading.Instrument
}

// ToRows maps exchange information to rows; info stays empty, each published key has a field.
func ToRows(in Info) (Rows, error) {
	if len(in.ExchangeFilters) > 0 {
		return Rows{}, errors.New("exchangeFilters: no field for them")
	}
	at := millis(in.ServerTime)
	rows := Rows{Venue: trading.Venue{VenueCode: VenueCode, Name: in.FuturesType, Timezone: in.Timezone, TsEvent: at}}
	for _, l := range in.RateLimits {
		rows.Venue.RateLimits = append(rows.Venue.RateLimits, trading.RateLimit{
			RateLimitType: l.RateLimitType, Interval: l.Interval, IntervalNum: l.IntervalNum, Limit: l.Limit,
		})
	}
	var p parser
	for _, a := range in.Assets {
		rows.Currencies = append(rows.Currencies, trading.Currency{
			CurrencyCode: trading.CurrencyCode(a.Asset), Precision: 8, CurrencyType: trading.CurrencyTypeCrypto,
			MarginAvailable:       store.Some(a.MarginAvailable),
			AutoExchangeThreshold: p.some(a.AutoAssetExchange),
		})
	}
	for i := range in.Symbols {
		row := p.instrument(&in.Symbols[i])
		row.TsEvent, row.TsInit = at, at
		if p.err != nil {
			return Rows{}, fmt.Errorf("symbol %s: %w", in.Symbols[i].Symbol, p.err)
		}
		rows.Instruments = append(rows.Instruments, row)
	}
	return rows, p.err
}

// InstrumentID is the id of a contract: {symbol}-PERP.BINANCE for a perpetual, {symbol}.BINANCE for a dated one.
func InstrumentID(s *Symbol) trading.InstrumentID {
	if s.DeliveryDate == never {
		return trading.InstrumentID(s.Symbol + "-PERP." + VenueCode)
	}
	return trading.InstrumentID(s.Symbol + "." + VenueCode)
}

// A parser reads decimal text and keeps the first error.
type parser struct{ err error }

func (p *parser) dec(s string) decimal.Decimal {
	d, err := decimal.NewFromString(s)
	if err == nil && text(d) != s {
		err = fmt.Errorf("decimal %q does not survive: %q", s, text(d))
	}
	if err != nil && p.err == nil {
		p.err = err
	}
	return d
}

func (p *parser) some(s string) store.Opt[decimal.Decimal] { return store.Some(p.dec(s)) }

// percent is R8: a percent becomes a fraction, its scale two places longer.
func (p *parser) percent(s string) store.Opt[decimal.Decimal] { return store.Some(p.dec(s).Shift(-2)) }

func (p *parser) instrument(s *Symbol) trading.Instrument {
	f := &s.Filters
	row := trading.Instrument{
		InstrumentID:    InstrumentID(s),
		RawSymbol:       s.Symbol,
		InstrumentClass: trading.InstrumentClassSwap,
		InstrumentType:  trading.InstrumentTypeCryptoPerpetual,
		AssetClass:      trading.AssetClassCryptocurrency,
		QuoteCurrency:   s.QuoteAsset,
		PriceIncrement:  p.dec(f.Price.TickSize),
		SizePrecision:   s.QuantityPrecision,
		SizeIncrement:   p.dec(f.Lot.StepSize),
		Multiplier:      decimal.NewFromInt(1),

		Venue:              VenueCode,
		Underlying:         s.BaseAsset,
		BaseCurrency:       s.BaseAsset,
		SettlementCurrency: s.MarginAsset,
		IsInverse:          store.Some(false),

		MaxQuantity:              p.some(f.Lot.MaxQty),
		MinQuantity:              p.some(f.Lot.MinQty),
		MarketSizeIncrement:      p.some(f.MarketLot.StepSize),
		MarketMaxQuantity:        p.some(f.MarketLot.MaxQty),
		MarketMinQuantity:        p.some(f.MarketLot.MinQty),
		MinNotional:              p.some(f.MinNotional.Notional),
		MaxPrice:                 p.some(f.Price.MaxPrice),
		MinPrice:                 p.some(f.Price.MinPrice),
		PriceMultiplierUp:        p.some(f.PercentPrice.MultiplierUp),
		PriceMultiplierDown:      p.some(f.PercentPrice.MultiplierDown),
		PriceMultiplierPrecision: store.Some(p.dec(f.PercentPrice.MultiplierDecimal).IntPart()),
		MaxNumOrders:             store.Some(f.NumOrders.Limit),
		MaxNumAlgoOrders:         store.Some(f.NumAlgoOrders.Limit),

		MarginInit:     p.percent(s.RequiredMarginPercent),
		MarginMaint:    p.percent(s.MaintMarginPercent),
		LiquidationFee: p.some(s.LiquidationFee),

		ActivationNs:    millis(s.OnboardDate),
		VenueDeliveryNs: millis(s.DeliveryDate),

		Status:              s.Status,
		Pair:                s.Pair,
		ContractType:        s.ContractType,
		VenuePricePrecision: store.Some(s.PricePrecision),
		BasePrecision:       store.Some(s.BaseAssetPrecision),
		QuotePrecision:      store.Some(s.QuotePrecision),
		UnderlyingType:      s.UnderlyingType,
		UnderlyingSubTypes:  s.UnderlyingSubType,
		SettlePlan:          store.Some(s.SettlePlan),
		TriggerProtect:      p.some(s.TriggerProtect),
		MarketTakeBound:     p.some(s.MarketTakeBound),
		OrderTypes:          s.OrderTypes,
		TimesInForce:        s.TimeInForce,
	}
	row.PricePrecision = decimals(row.PriceIncrement)
	if s.DeliveryDate != never {
		row.InstrumentClass, row.InstrumentType = trading.InstrumentClassFuture, trading.InstrumentTypeCryptoFuture
		row.ExpirationNs = millis(s.DeliveryDate)
	}
	return row
}

// FromRows maps rows back to exchange information, in the order given.
func FromRows(rows Rows) Info {
	in := Info{
		Timezone: rows.Venue.Timezone, FuturesType: rows.Venue.Name, ServerTime: toMillis(rows.Venue.TsEvent),
		RateLimits: []RateLimit{}, ExchangeFilters: []json.RawMessage{}, Assets: []Asset{}, Symbols: []Symbol{},
	}
	for _, l := range rows.Venue.RateLimits {
		in.RateLimits = append(in.RateLimits, RateLimit{l.RateLimitType, l.Interval, l.IntervalNum, l.Limit})
	}
	for _, c := range rows.Currencies {
		in.Assets = append(in.Assets, Asset{string(c.CurrencyCode), c.MarginAvailable.Value, text(c.AutoExchangeThreshold.Value)})
	}
	for i := range rows.Instruments {
		in.Symbols = append(in.Symbols, symbol(&rows.Instruments[i]))
	}
	return in
}

func symbol(r *trading.Instrument) Symbol {
	return Symbol{
		Symbol:                r.RawSymbol,
		Pair:                  r.Pair,
		ContractType:          r.ContractType,
		DeliveryDate:          toMillis(r.VenueDeliveryNs),
		OnboardDate:           toMillis(r.ActivationNs),
		Status:                r.Status,
		MaintMarginPercent:    text(r.MarginMaint.Value.Shift(2)),
		RequiredMarginPercent: text(r.MarginInit.Value.Shift(2)),
		BaseAsset:             r.BaseCurrency,
		QuoteAsset:            r.QuoteCurrency,
		MarginAsset:           r.SettlementCurrency,
		PricePrecision:        r.VenuePricePrecision.Value,
		QuantityPrecision:     r.SizePrecision,
		BaseAssetPrecision:    r.BasePrecision.Value,
		QuotePrecision:        r.QuotePrecision.Value,
		UnderlyingType:        r.UnderlyingType,
		UnderlyingSubType:     append([]string{}, r.UnderlyingSubTypes...),
		SettlePlan:            r.SettlePlan.Value,
		TriggerProtect:        text(r.TriggerProtect.Value),
		LiquidationFee:        text(r.LiquidationFee.Value),
		MarketTakeBound:       text(r.MarketTakeBound.Value),
		Filters: Filters{
			Price:         priceFilter{text(r.MinPrice.Value), text(r.MaxPrice.Value), "PRICE_FILTER", text(r.PriceIncrement)},
			Lot:           lotFilter{text(r.SizeIncrement), "LOT_SIZE", text(r.MaxQuantity.Value), text(r.MinQuantity.Value)},
			MarketLot:     lotFilter{text(r.MarketSizeIncrement.Value), "MARKET_LOT_SIZE", text(r.MarketMaxQuantity.Value), text(r.MarketMinQuantity.Value)},
			NumOrders:     limitFilter{r.MaxNumOrders.Value, "MAX_NUM_ORDERS"},
			NumAlgoOrders: limitFilter{r.MaxNumAlgoOrders.Value, "MAX_NUM_ALGO_ORDERS"},
			MinNotional:   notionalFilter{text(r.MinNotional.Value), "MIN_NOTIONAL"},
			PercentPrice: percentFilter{
				text(r.PriceMultiplierDown.Value), text(r.PriceMultiplierUp.Value),
				fmt.Sprint(r.PriceMultiplierPrecision.Value), "PERCENT_PRICE",
			},
		},
		OrderTypes:  append([]string{}, r.OrderTypes...),
		TimeInForce: append([]string{}, r.TimesInForce...),
	}
}

// text writes a decimal with its scale; decimal.String would cut "0.10" to "0.1".
func text(d decimal.Decimal) string { return d.StringFixed(max(0, -d.Exponent())) }

// decimals counts a decimal's places without trailing zeros.
func decimals(d decimal.Decimal) int64 {
	_, frac, _ := strings.Cut(text(d), ".")
	return int64(len(strings.TrimRight(frac, "0")))
}

func millis(ms int64) store.Timestamp       { return store.Timestamp(ms * int64(time.Millisecond)) }
func toMillis(t store.Timestamp) (ms int64) { return int64(t) / int64(time.Millisecond) }
