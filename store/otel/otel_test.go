package otel_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/otel"
	"github.com/nacre-store/nacre/store/storetest"
)

// fed is an observer with what it has been fed.
type fed struct {
	*otel.Observer
	metrics *sdkmetric.ManualReader
	spans   *tracetest.InMemoryExporter
	tracer  trace.Tracer
}

func feed(t testing.TB, roots bool) fed {
	t.Helper()
	f := fed{metrics: sdkmetric.NewManualReader(), spans: tracetest.NewInMemoryExporter()}
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(f.spans))
	f.tracer = traces.Tracer("test")
	var err error
	f.Observer, err = otel.New(otel.Options{Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(f.metrics)), Tracers: traces, Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func text(kvs []attribute.KeyValue) string {
	var parts []string
	for _, kv := range kvs {
		if kv.Key != "db.system.name" {
			parts = append(parts, string(kv.Key)+"="+kv.Value.String())
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// counts are the numbers of durations and of rows by their attributes.
func (f fed) counts(t *testing.T) (durations map[string]uint64, rows map[string]int64) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := f.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	durations, rows = map[string]uint64{}, map[string]int64{}
	for _, s := range all.ScopeMetrics {
		if s.Scope.Name != otel.Name {
			t.Errorf("scope %q", s.Scope.Name)
		}
		for _, m := range s.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				if m.Name != "db.client.operation.duration" || m.Unit != "s" {
					t.Errorf("histogram %s in %s", m.Name, m.Unit)
				}
				for _, p := range data.DataPoints {
					durations[text(p.Attributes.ToSlice())] = p.Count
					if p.Sum <= 0 || p.Sum > 60 {
						t.Errorf("%v took %v s", p.Attributes.ToSlice(), p.Sum)
					}
				}
			case metricdata.Sum[int64]:
				if m.Name != "nacre.client.operation.rows" {
					t.Errorf("counter %s", m.Name)
				}
				for _, p := range data.DataPoints {
					rows[text(p.Attributes.ToSlice())] = p.Value
				}
			}
		}
	}
	return durations, rows
}

// A store on a real Redis, under a span of its caller.
func TestObserver(t *testing.T) {
	f := feed(t, false)
	cfg := storetest.Redis(t)
	cfg.Schemas, cfg.Observer = []store.Schema{trading.Schema}, f
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	tables := trading.New(s)
	usd := trading.Currency{CurrencyCode: "USD", CurrencyType: trading.CurrencyTypeFiat}

	if err := tables.Currencies.Put(t.Context(), usd); err != nil { // outside any span
		t.Fatal(err)
	}
	ctx, caller := f.tracer.Start(t.Context(), "caller")
	for range 2 {
		if err := tables.Currencies.Put(ctx, usd); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := tables.Currencies.Get(ctx, "USD"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tables.Currencies.Get(ctx, "EUR", store.Strong); !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	if err := tables.Currencies.Put(ctx, trading.Currency{}); !errors.Is(err, store.ErrRefused) {
		t.Fatal(err)
	}
	o := trading.Order{ClientOrderID: "O-1", Status: trading.OrderStatusAccepted}
	if err := tables.Orders.AppendEvents(ctx, o, trading.OrderEvent{EventID: "E-1"}, trading.OrderEvent{EventID: "E-2"}); err != nil {
		t.Fatal(err)
	}
	caller.End()

	durations, rows := f.counts(t)
	wantDurations := map[string]uint64{
		"db.collection.name=currency db.operation.name=put":                      3,
		"db.collection.name=currency db.operation.name=get nacre.cached=true":    3,
		"db.collection.name=currency db.operation.name=get error.type=not_found": 1,
		"db.collection.name=currency db.operation.name=put error.type=refused":   1,
		"db.collection.name=order.events db.operation.name=append":               1,
	}
	if !maps.Equal(durations, wantDurations) {
		t.Errorf("durations %v, want %v", durations, wantDurations)
	}
	wantRows := map[string]int64{
		"db.collection.name=currency db.operation.name=put":                   3,
		"db.collection.name=currency db.operation.name=get nacre.cached=true": 3,
		"db.collection.name=order.events db.operation.name=append":            2,
	}
	if !maps.Equal(rows, wantRows) {
		t.Errorf("rows %v, want %v", rows, wantRows)
	}

	var spans []string
	for _, sp := range f.spans.GetSpans() {
		if sp.Name == "caller" {
			continue
		}
		if sp.Parent.SpanID() != caller.SpanContext().SpanID() || sp.SpanKind != trace.SpanKindClient || !sp.EndTime.After(sp.StartTime) {
			t.Errorf("span %s: parent %v, kind %v, from %v to %v", sp.Name, sp.Parent.SpanID(), sp.SpanKind, sp.StartTime, sp.EndTime)
		}
		spans = append(spans, fmt.Sprintf("%s: %v %s", sp.Name, sp.Status.Code, text(sp.Attributes)))
	}
	wantSpans := []string{
		"put currency: Unset db.collection.name=currency db.operation.name=put db.response.returned_rows=1",
		"put currency: Unset db.collection.name=currency db.operation.name=put db.response.returned_rows=1",
		"get currency: Unset db.collection.name=currency db.operation.name=get db.response.returned_rows=0 error.type=not_found",
		"put currency: Error db.collection.name=currency db.operation.name=put db.response.returned_rows=0 error.type=refused",
		"append order.events: Unset db.collection.name=order.events db.operation.name=append db.response.returned_rows=2",
	}
	if !slices.Equal(spans, wantSpans) {
		t.Errorf("spans\n%s\nwant\n%s", strings.Join(spans, "\n"), strings.Join(wantSpans, "\n"))
	}
}

// With Roots, an operation outside any span is a span all the same, at the
// time at which it was.
func TestRoots(t *testing.T) {
	f := feed(t, true)
	start := time.Now().Add(-time.Second)
	f.Observe(t.Context(), store.Observation{Operation: "all", Table: "order", Start: start, Duration: 250 * time.Millisecond, Rows: 7, Failed: 2, Err: store.ErrUnavailable})
	spans := f.spans.GetSpans()
	if len(spans) != 1 {
		t.Fatalf("%d spans, want 1", len(spans))
	}
	sp := spans[0]
	if !sp.StartTime.Equal(start) || sp.EndTime.Sub(sp.StartTime) != 250*time.Millisecond || sp.Status.Code != codes.Error || sp.Status.Description != store.ErrUnavailable.Error() {
		t.Errorf("%+v", sp)
	}
	if got, want := text(sp.Attributes), "db.collection.name=order db.operation.name=all db.response.returned_rows=7 error.type=unavailable nacre.failed_rows=2"; got != want {
		t.Errorf("attributes %s, want %s", got, want)
	}
}

// A measurement allocates nothing of ours: the sets of attributes are made
// once.
func TestAllocs(t *testing.T) {
	f := feed(t, false)
	ob := store.Observation{Operation: "get", Table: "order", Start: time.Now(), Duration: time.Microsecond, Rows: 1, Cached: true}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { f.Observe(ctx, ob) }); n > 0 {
		t.Errorf("%v allocations a measurement", n)
	}
}

// The package itself links the API, not the SDK.
func TestNoSDK(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		if strings.HasPrefix(dep, "go.opentelemetry.io/otel/sdk") {
			t.Errorf("links %s", dep)
		}
	}
}
