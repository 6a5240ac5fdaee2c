package stock

import "github.com/shopspring/decimal"

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file order.go -io=false -tests=false

//msgp:shim decimal.Decimal as:string using:decimalText/textDecimal mode:convert

// TradingOrder mirrors trading.Order: what is optional there is left out when
// it is empty, and a pointer where zero is a value. It has the names for codecs
// that work by reflection too.
type TradingOrder struct {
	ClientOrderID       string                     `msg:"client_order_id" msgpack:"client_order_id" json:"client_order_id"`
	VenueOrderID        string                     `msg:"venue_order_id" msgpack:"venue_order_id" json:"venue_order_id"`
	InstrumentID        string                     `msg:"instrument_id" msgpack:"instrument_id" json:"instrument_id"`
	OrderType           string                     `msg:"order_type" msgpack:"order_type" json:"order_type"`
	Side                string                     `msg:"side" msgpack:"side" json:"side"`
	Quantity            decimal.Decimal            `msg:"quantity" msgpack:"quantity" json:"quantity"`
	Status              string                     `msg:"status" msgpack:"status" json:"status"`
	TraderID            string                     `msg:"trader_id,omitempty" msgpack:"trader_id,omitempty" json:"trader_id,omitempty"`
	StrategyID          string                     `msg:"strategy_id,omitempty" msgpack:"strategy_id,omitempty" json:"strategy_id,omitempty"`
	AccountID           string                     `msg:"account_id,omitempty" msgpack:"account_id,omitempty" json:"account_id,omitempty"`
	PositionID          string                     `msg:"position_id,omitempty" msgpack:"position_id,omitempty" json:"position_id,omitempty"`
	ClientID            string                     `msg:"client_id,omitempty" msgpack:"client_id,omitempty" json:"client_id,omitempty"`
	LastTradeID         string                     `msg:"last_trade_id,omitempty" msgpack:"last_trade_id,omitempty" json:"last_trade_id,omitempty"`
	InitID              string                     `msg:"init_id,omitempty" msgpack:"init_id,omitempty" json:"init_id,omitempty"`
	PreviousStatus      string                     `msg:"previous_status,omitempty" msgpack:"previous_status,omitempty" json:"previous_status,omitempty"`
	TimeInForce         string                     `msg:"time_in_force,omitempty" msgpack:"time_in_force,omitempty" json:"time_in_force,omitempty"`
	ExpireTimeNS        int64                      `msg:"expire_time_ns,omitempty" msgpack:"expire_time_ns,omitempty" json:"expire_time_ns,omitempty"`
	Price               *decimal.Decimal           `msg:"price,omitempty" msgpack:"price,omitempty" json:"price,omitempty"`
	TriggerPrice        *decimal.Decimal           `msg:"trigger_price,omitempty" msgpack:"trigger_price,omitempty" json:"trigger_price,omitempty"`
	TriggerType         string                     `msg:"trigger_type,omitempty" msgpack:"trigger_type,omitempty" json:"trigger_type,omitempty"`
	ProtectionPrice     *decimal.Decimal           `msg:"protection_price,omitempty" msgpack:"protection_price,omitempty" json:"protection_price,omitempty"`
	ActivationPrice     *decimal.Decimal           `msg:"activation_price,omitempty" msgpack:"activation_price,omitempty" json:"activation_price,omitempty"`
	LimitOffset         *decimal.Decimal           `msg:"limit_offset,omitempty" msgpack:"limit_offset,omitempty" json:"limit_offset,omitempty"`
	TrailingOffset      *decimal.Decimal           `msg:"trailing_offset,omitempty" msgpack:"trailing_offset,omitempty" json:"trailing_offset,omitempty"`
	TrailingOffsetType  string                     `msg:"trailing_offset_type,omitempty" msgpack:"trailing_offset_type,omitempty" json:"trailing_offset_type,omitempty"`
	DisplayQty          *decimal.Decimal           `msg:"display_qty,omitempty" msgpack:"display_qty,omitempty" json:"display_qty,omitempty"`
	PostOnly            *bool                      `msg:"post_only,omitempty" msgpack:"post_only,omitempty" json:"post_only,omitempty"`
	ReduceOnly          *bool                      `msg:"reduce_only,omitempty" msgpack:"reduce_only,omitempty" json:"reduce_only,omitempty"`
	QuoteQuantity       *bool                      `msg:"quote_quantity,omitempty" msgpack:"quote_quantity,omitempty" json:"quote_quantity,omitempty"`
	EmulationTrigger    string                     `msg:"emulation_trigger,omitempty" msgpack:"emulation_trigger,omitempty" json:"emulation_trigger,omitempty"`
	TriggerInstrumentID string                     `msg:"trigger_instrument_id,omitempty" msgpack:"trigger_instrument_id,omitempty" json:"trigger_instrument_id,omitempty"`
	ContingencyType     string                     `msg:"contingency_type,omitempty" msgpack:"contingency_type,omitempty" json:"contingency_type,omitempty"`
	OrderListID         string                     `msg:"order_list_id,omitempty" msgpack:"order_list_id,omitempty" json:"order_list_id,omitempty"`
	LinkedOrderIDs      []string                   `msg:"linked_order_ids,omitempty" msgpack:"linked_order_ids,omitempty" json:"linked_order_ids,omitempty"`
	ParentOrderID       string                     `msg:"parent_order_id,omitempty" msgpack:"parent_order_id,omitempty" json:"parent_order_id,omitempty"`
	ExecAlgorithmID     string                     `msg:"exec_algorithm_id,omitempty" msgpack:"exec_algorithm_id,omitempty" json:"exec_algorithm_id,omitempty"`
	ExecAlgorithmParams string                     `msg:"exec_algorithm_params,omitempty" msgpack:"exec_algorithm_params,omitempty" json:"exec_algorithm_params,omitempty"`
	ExecSpawnID         string                     `msg:"exec_spawn_id,omitempty" msgpack:"exec_spawn_id,omitempty" json:"exec_spawn_id,omitempty"`
	Tags                []string                   `msg:"tags,omitempty" msgpack:"tags,omitempty" json:"tags,omitempty"`
	FilledQty           *decimal.Decimal           `msg:"filled_qty,omitempty" msgpack:"filled_qty,omitempty" json:"filled_qty,omitempty"`
	LeavesQty           *decimal.Decimal           `msg:"leaves_qty,omitempty" msgpack:"leaves_qty,omitempty" json:"leaves_qty,omitempty"`
	OverfillQty         *decimal.Decimal           `msg:"overfill_qty,omitempty" msgpack:"overfill_qty,omitempty" json:"overfill_qty,omitempty"`
	AvgPx               *decimal.Decimal           `msg:"avg_px,omitempty" msgpack:"avg_px,omitempty" json:"avg_px,omitempty"`
	Slippage            *decimal.Decimal           `msg:"slippage,omitempty" msgpack:"slippage,omitempty" json:"slippage,omitempty"`
	LiquiditySide       string                     `msg:"liquidity_side,omitempty" msgpack:"liquidity_side,omitempty" json:"liquidity_side,omitempty"`
	Commissions         map[string]decimal.Decimal `msg:"commissions,omitempty" msgpack:"commissions,omitempty" json:"commissions,omitempty"`
	IsTriggered         *bool                      `msg:"is_triggered,omitempty" msgpack:"is_triggered,omitempty" json:"is_triggered,omitempty"`
	VenueOrderIDs       []string                   `msg:"venue_order_ids,omitempty" msgpack:"venue_order_ids,omitempty" json:"venue_order_ids,omitempty"`
	Reason              string                     `msg:"reason,omitempty" msgpack:"reason,omitempty" json:"reason,omitempty"`
	TSInit              int64                      `msg:"ts_init,omitempty" msgpack:"ts_init,omitempty" json:"ts_init,omitempty"`
	TSSubmitted         int64                      `msg:"ts_submitted,omitempty" msgpack:"ts_submitted,omitempty" json:"ts_submitted,omitempty"`
	TSAccepted          int64                      `msg:"ts_accepted,omitempty" msgpack:"ts_accepted,omitempty" json:"ts_accepted,omitempty"`
	TSTriggered         int64                      `msg:"ts_triggered,omitempty" msgpack:"ts_triggered,omitempty" json:"ts_triggered,omitempty"`
	TSClosed            int64                      `msg:"ts_closed,omitempty" msgpack:"ts_closed,omitempty" json:"ts_closed,omitempty"`
	TSLast              int64                      `msg:"ts_last,omitempty" msgpack:"ts_last,omitempty" json:"ts_last,omitempty"`
	EventCount          *int64                     `msg:"event_count,omitempty" msgpack:"event_count,omitempty" json:"event_count,omitempty"`
	LastEventID         string                     `msg:"last_event_id,omitempty" msgpack:"last_event_id,omitempty" json:"last_event_id,omitempty"`
	CausationID         string                     `msg:"causation_id,omitempty" msgpack:"causation_id,omitempty" json:"causation_id,omitempty"`
}
