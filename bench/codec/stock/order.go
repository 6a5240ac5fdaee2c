package stock

import "github.com/shopspring/decimal"

//msgp:shim decimal.Decimal as:string using:decimalText/textDecimal mode:convert

// TradingOrder mirrors trading.Order: what is optional there is left out when
// it is empty, and a pointer where zero is a value.
type TradingOrder struct {
	ClientOrderID       string                     `msg:"client_order_id"`
	VenueOrderID        string                     `msg:"venue_order_id"`
	InstrumentID        string                     `msg:"instrument_id"`
	OrderType           string                     `msg:"order_type"`
	Side                string                     `msg:"side"`
	Quantity            decimal.Decimal            `msg:"quantity"`
	Status              string                     `msg:"status"`
	TraderID            string                     `msg:"trader_id,omitempty"`
	StrategyID          string                     `msg:"strategy_id,omitempty"`
	AccountID           string                     `msg:"account_id,omitempty"`
	PositionID          string                     `msg:"position_id,omitempty"`
	ClientID            string                     `msg:"client_id,omitempty"`
	LastTradeID         string                     `msg:"last_trade_id,omitempty"`
	InitID              string                     `msg:"init_id,omitempty"`
	PreviousStatus      string                     `msg:"previous_status,omitempty"`
	TimeInForce         string                     `msg:"time_in_force,omitempty"`
	ExpireTimeNS        int64                      `msg:"expire_time_ns,omitempty"`
	Price               *decimal.Decimal           `msg:"price,omitempty"`
	TriggerPrice        *decimal.Decimal           `msg:"trigger_price,omitempty"`
	TriggerType         string                     `msg:"trigger_type,omitempty"`
	ProtectionPrice     *decimal.Decimal           `msg:"protection_price,omitempty"`
	ActivationPrice     *decimal.Decimal           `msg:"activation_price,omitempty"`
	LimitOffset         *decimal.Decimal           `msg:"limit_offset,omitempty"`
	TrailingOffset      *decimal.Decimal           `msg:"trailing_offset,omitempty"`
	TrailingOffsetType  string                     `msg:"trailing_offset_type,omitempty"`
	DisplayQty          *decimal.Decimal           `msg:"display_qty,omitempty"`
	PostOnly            *bool                      `msg:"post_only,omitempty"`
	ReduceOnly          *bool                      `msg:"reduce_only,omitempty"`
	QuoteQuantity       *bool                      `msg:"quote_quantity,omitempty"`
	EmulationTrigger    string                     `msg:"emulation_trigger,omitempty"`
	TriggerInstrumentID string                     `msg:"trigger_instrument_id,omitempty"`
	ContingencyType     string                     `msg:"contingency_type,omitempty"`
	OrderListID         string                     `msg:"order_list_id,omitempty"`
	LinkedOrderIDs      []string                   `msg:"linked_order_ids,omitempty"`
	ParentOrderID       string                     `msg:"parent_order_id,omitempty"`
	ExecAlgorithmID     string                     `msg:"exec_algorithm_id,omitempty"`
	ExecAlgorithmParams string                     `msg:"exec_algorithm_params,omitempty"`
	ExecSpawnID         string                     `msg:"exec_spawn_id,omitempty"`
	Tags                []string                   `msg:"tags,omitempty"`
	FilledQty           *decimal.Decimal           `msg:"filled_qty,omitempty"`
	LeavesQty           *decimal.Decimal           `msg:"leaves_qty,omitempty"`
	OverfillQty         *decimal.Decimal           `msg:"overfill_qty,omitempty"`
	AvgPx               *decimal.Decimal           `msg:"avg_px,omitempty"`
	Slippage            *decimal.Decimal           `msg:"slippage,omitempty"`
	LiquiditySide       string                     `msg:"liquidity_side,omitempty"`
	Commissions         map[string]decimal.Decimal `msg:"commissions,omitempty"`
	IsTriggered         *bool                      `msg:"is_triggered,omitempty"`
	VenueOrderIDs       []string                   `msg:"venue_order_ids,omitempty"`
	Reason              string                     `msg:"reason,omitempty"`
	TSInit              int64                      `msg:"ts_init,omitempty"`
	TSSubmitted         int64                      `msg:"ts_submitted,omitempty"`
	TSAccepted          int64                      `msg:"ts_accepted,omitempty"`
	TSTriggered         int64                      `msg:"ts_triggered,omitempty"`
	TSClosed            int64                      `msg:"ts_closed,omitempty"`
	TSLast              int64                      `msg:"ts_last,omitempty"`
	EventCount          *int64                     `msg:"event_count,omitempty"`
	LastEventID         string                     `msg:"last_event_id,omitempty"`
	CausationID         string                     `msg:"causation_id,omitempty"`
}
