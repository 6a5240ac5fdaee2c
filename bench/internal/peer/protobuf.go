package peer

import (
	"github.com/nacre-store/nacre/bench/codec/stock"
	"github.com/nacre-store/nacre/bench/internal/peer/orderpb"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/proto"
)

// Protobuf is what protoc-gen-go generates, with the texts of its message turned into decimals and back, for
// that is what an application has to do with it.
var Protobuf = Codec{
	Name: "protobuf",
	Encode: func(b []byte, o *stock.TradingOrder) ([]byte, error) {
		return proto.MarshalOptions{Deterministic: true}.MarshalAppend(b, messageOf(o))
	},
	Decode: func(b []byte, o *stock.TradingOrder) error {
		var p orderpb.Order
		if err := proto.Unmarshal(b, &p); err != nil {
			return err
		}
		var d decimals
		*o = d.order(&p)
		return d.err
	},
}

func messageOf(o *stock.TradingOrder) *orderpb.Order {
	return &orderpb.Order{
		ClientOrderId:       o.ClientOrderID,
		VenueOrderId:        o.VenueOrderID,
		InstrumentId:        o.InstrumentID,
		OrderType:           o.OrderType,
		Side:                o.Side,
		Quantity:            o.Quantity.String(),
		Status:              o.Status,
		TraderId:            o.TraderID,
		StrategyId:          o.StrategyID,
		AccountId:           o.AccountID,
		PositionId:          o.PositionID,
		ClientId:            o.ClientID,
		LastTradeId:         o.LastTradeID,
		InitId:              o.InitID,
		PreviousStatus:      o.PreviousStatus,
		TimeInForce:         o.TimeInForce,
		ExpireTimeNs:        o.ExpireTimeNS,
		Price:               optText(o.Price),
		TriggerPrice:        optText(o.TriggerPrice),
		TriggerType:         o.TriggerType,
		ProtectionPrice:     optText(o.ProtectionPrice),
		ActivationPrice:     optText(o.ActivationPrice),
		LimitOffset:         optText(o.LimitOffset),
		TrailingOffset:      optText(o.TrailingOffset),
		TrailingOffsetType:  o.TrailingOffsetType,
		DisplayQty:          optText(o.DisplayQty),
		PostOnly:            o.PostOnly,
		ReduceOnly:          o.ReduceOnly,
		QuoteQuantity:       o.QuoteQuantity,
		EmulationTrigger:    o.EmulationTrigger,
		TriggerInstrumentId: o.TriggerInstrumentID,
		ContingencyType:     o.ContingencyType,
		OrderListId:         o.OrderListID,
		LinkedOrderIds:      o.LinkedOrderIDs,
		ParentOrderId:       o.ParentOrderID,
		ExecAlgorithmId:     o.ExecAlgorithmID,
		ExecAlgorithmParams: o.ExecAlgorithmParams,
		ExecSpawnId:         o.ExecSpawnID,
		Tags:                o.Tags,
		FilledQty:           optText(o.FilledQty),
		LeavesQty:           optText(o.LeavesQty),
		OverfillQty:         optText(o.OverfillQty),
		AvgPx:               optText(o.AvgPx),
		Slippage:            optText(o.Slippage),
		LiquiditySide:       o.LiquiditySide,
		Commissions:         texts(o.Commissions),
		IsTriggered:         o.IsTriggered,
		VenueOrderIds:       o.VenueOrderIDs,
		Reason:              o.Reason,
		TsInit:              o.TSInit,
		TsSubmitted:         o.TSSubmitted,
		TsAccepted:          o.TSAccepted,
		TsTriggered:         o.TSTriggered,
		TsClosed:            o.TSClosed,
		TsLast:              o.TSLast,
		EventCount:          o.EventCount,
		LastEventId:         o.LastEventID,
		CausationId:         o.CausationID,
	}
}

func (d *decimals) order(p *orderpb.Order) stock.TradingOrder {
	return stock.TradingOrder{
		ClientOrderID:       p.ClientOrderId,
		VenueOrderID:        p.VenueOrderId,
		InstrumentID:        p.InstrumentId,
		OrderType:           p.OrderType,
		Side:                p.Side,
		Quantity:            d.of(p.Quantity),
		Status:              p.Status,
		TraderID:            p.TraderId,
		StrategyID:          p.StrategyId,
		AccountID:           p.AccountId,
		PositionID:          p.PositionId,
		ClientID:            p.ClientId,
		LastTradeID:         p.LastTradeId,
		InitID:              p.InitId,
		PreviousStatus:      p.PreviousStatus,
		TimeInForce:         p.TimeInForce,
		ExpireTimeNS:        p.ExpireTimeNs,
		Price:               d.opt(p.Price),
		TriggerPrice:        d.opt(p.TriggerPrice),
		TriggerType:         p.TriggerType,
		ProtectionPrice:     d.opt(p.ProtectionPrice),
		ActivationPrice:     d.opt(p.ActivationPrice),
		LimitOffset:         d.opt(p.LimitOffset),
		TrailingOffset:      d.opt(p.TrailingOffset),
		TrailingOffsetType:  p.TrailingOffsetType,
		DisplayQty:          d.opt(p.DisplayQty),
		PostOnly:            p.PostOnly,
		ReduceOnly:          p.ReduceOnly,
		QuoteQuantity:       p.QuoteQuantity,
		EmulationTrigger:    p.EmulationTrigger,
		TriggerInstrumentID: p.TriggerInstrumentId,
		ContingencyType:     p.ContingencyType,
		OrderListID:         p.OrderListId,
		LinkedOrderIDs:      p.LinkedOrderIds,
		ParentOrderID:       p.ParentOrderId,
		ExecAlgorithmID:     p.ExecAlgorithmId,
		ExecAlgorithmParams: p.ExecAlgorithmParams,
		ExecSpawnID:         p.ExecSpawnId,
		Tags:                p.Tags,
		FilledQty:           d.opt(p.FilledQty),
		LeavesQty:           d.opt(p.LeavesQty),
		OverfillQty:         d.opt(p.OverfillQty),
		AvgPx:               d.opt(p.AvgPx),
		Slippage:            d.opt(p.Slippage),
		LiquiditySide:       p.LiquiditySide,
		Commissions:         d.all(p.Commissions),
		IsTriggered:         p.IsTriggered,
		VenueOrderIDs:       p.VenueOrderIds,
		Reason:              p.Reason,
		TSInit:              p.TsInit,
		TSSubmitted:         p.TsSubmitted,
		TSAccepted:          p.TsAccepted,
		TSTriggered:         p.TsTriggered,
		TSClosed:            p.TsClosed,
		TSLast:              p.TsLast,
		EventCount:          p.EventCount,
		LastEventID:         p.LastEventId,
		CausationID:         p.CausationId,
	}
}

// decimals reads texts and keeps the first error.
type decimals struct{ err error }

func (d *decimals) of(s string) decimal.Decimal {
	v, err := decimal.NewFromString(s)
	if err != nil && d.err == nil {
		d.err = err
	}
	return v
}

func (d *decimals) opt(s *string) *decimal.Decimal {
	if s == nil {
		return nil
	}
	v := d.of(*s)
	return &v
}

func (d *decimals) all(m map[string]string) map[string]decimal.Decimal {
	if m == nil {
		return nil
	}
	out := make(map[string]decimal.Decimal, len(m))
	for k, s := range m {
		out[k] = d.of(s)
	}
	return out
}

func optText(v *decimal.Decimal) *string {
	if v == nil {
		return nil
	}
	s := v.String()
	return &s
}

func texts(m map[string]decimal.Decimal) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v.String()
	}
	return out
}
