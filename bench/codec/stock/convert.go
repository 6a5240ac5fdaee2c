package stock

import (
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// FromTrading returns the mirror of o.
func FromTrading(o *trading.Order) *TradingOrder {
	return &TradingOrder{
		ClientOrderID:       string(o.ClientOrderID),
		VenueOrderID:        o.VenueOrderID,
		InstrumentID:        string(o.InstrumentID),
		OrderType:           string(o.OrderType),
		Side:                string(o.Side),
		Quantity:            o.Quantity,
		Status:              string(o.Status),
		TraderID:            o.TraderID,
		StrategyID:          o.StrategyID,
		AccountID:           string(o.AccountID),
		PositionID:          string(o.PositionID),
		ClientID:            o.ClientID,
		LastTradeID:         o.LastTradeID,
		InitID:              o.InitID,
		PreviousStatus:      string(o.PreviousStatus),
		TimeInForce:         string(o.TimeInForce),
		ExpireTimeNS:        int64(o.ExpireTimeNs),
		Price:               opt(o.Price),
		TriggerPrice:        opt(o.TriggerPrice),
		TriggerType:         string(o.TriggerType),
		ProtectionPrice:     opt(o.ProtectionPrice),
		ActivationPrice:     opt(o.ActivationPrice),
		LimitOffset:         opt(o.LimitOffset),
		TrailingOffset:      opt(o.TrailingOffset),
		TrailingOffsetType:  string(o.TrailingOffsetType),
		DisplayQty:          opt(o.DisplayQty),
		PostOnly:            opt(o.PostOnly),
		ReduceOnly:          opt(o.ReduceOnly),
		QuoteQuantity:       opt(o.QuoteQuantity),
		EmulationTrigger:    string(o.EmulationTrigger),
		TriggerInstrumentID: o.TriggerInstrumentID,
		ContingencyType:     string(o.ContingencyType),
		OrderListID:         o.OrderListID,
		LinkedOrderIDs:      o.LinkedOrderIds,
		ParentOrderID:       o.ParentOrderID,
		ExecAlgorithmID:     o.ExecAlgorithmID,
		ExecAlgorithmParams: o.ExecAlgorithmParams,
		ExecSpawnID:         o.ExecSpawnID,
		Tags:                o.Tags,
		FilledQty:           opt(o.FilledQty),
		LeavesQty:           opt(o.LeavesQty),
		OverfillQty:         opt(o.OverfillQty),
		AvgPx:               opt(o.AvgPx),
		Slippage:            opt(o.Slippage),
		LiquiditySide:       string(o.LiquiditySide),
		Commissions:         o.Commissions,
		IsTriggered:         opt(o.IsTriggered),
		VenueOrderIDs:       o.VenueOrderIds,
		Reason:              o.Reason,
		TSInit:              int64(o.TsInit),
		TSSubmitted:         int64(o.TsSubmitted),
		TSAccepted:          int64(o.TsAccepted),
		TSTriggered:         int64(o.TsTriggered),
		TSClosed:            int64(o.TsClosed),
		TSLast:              int64(o.TsLast),
		EventCount:          opt(o.EventCount),
		LastEventID:         o.LastEventID,
		CausationID:         o.CausationID,
	}
}

func opt[T any](v store.Opt[T]) *T {
	if !v.Valid {
		return nil
	}
	return &v.Value
}
