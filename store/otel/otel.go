// Package otel feeds OpenTelemetry with what a store does. It is a module of
// its own, so that a program without OpenTelemetry links none of it, and uses
// the API alone: the program brings the SDK.
//
//	observer, err := otel.New(otel.Options{})
//	s, err := store.Open(ctx, store.Config{Observer: observer})
//
// A program that imports OpenTelemetry's package of the same name gives one of
// them another one:
//
//	import nacreotel "github.com/nacre-store/nacre/store/otel"
package otel

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/nacre-store/nacre/store"
)

// Name is the instrumentation scope of all metrics and spans.
const Name = "github.com/nacre-store/nacre/store/otel"

// Options say where observations go. The zero value is the global providers.
type Options struct {
	Meters  metric.MeterProvider // nil is otel.GetMeterProvider.
	Tracers trace.TracerProvider // nil is otel.GetTracerProvider.
	// Roots makes spans of operations outside any span too. Otherwise they have
	// metrics only.
	Roots bool
}

// An Observer is a [store.Observer]. Its names are those of OpenTelemetry's
// conventions for database clients:
//
//   - the histogram db.client.operation.duration, in seconds, and the counter
//     nacre.client.operation.rows, with the attributes db.system.name (redis),
//     db.operation.name, db.collection.name (the table, or table.list),
//     nacre.cached (for a row out of the near-cache), and error.type (the
//     outcome) where the operation failed;
//   - spans of the kind client, named by operation and table, below the span of
//     the caller's context. Rows out of the near-cache make none.
//
// A row that is not found and a conflict are answers, not errors: such spans
// have error.type and no error status.
type Observer struct {
	duration metric.Float64Histogram
	rows     metric.Int64Counter
	tracer   trace.Tracer
	roots    bool

	mu    sync.RWMutex
	known map[series]*attributes
}

// series is one combination of attributes. There are few: tables times
// operations times outcomes.
type series struct {
	operation, table, part, outcome string
	cached                          bool
}

// attributes are those of a series, in the forms that the API takes.
type attributes struct {
	span   []attribute.KeyValue
	name   string
	record []metric.RecordOption
	add    []metric.AddOption
}

// buckets are the bounds of durations in seconds: from a row out of the
// near-cache to a write that waits for a failover.
var buckets = []float64{1e-6, 1e-5, 25e-6, 5e-5, 1e-4, 25e-5, 5e-4, 1e-3, 25e-4, 5e-3, 1e-2, 5e-2, 0.1, 0.5, 1, 5, 10}

// New makes an observer.
func New(opts Options) (*Observer, error) {
	if opts.Meters == nil {
		opts.Meters = otel.GetMeterProvider()
	}
	if opts.Tracers == nil {
		opts.Tracers = otel.GetTracerProvider()
	}
	o := &Observer{tracer: opts.Tracers.Tracer(Name), roots: opts.Roots, known: map[series]*attributes{}}
	meter := opts.Meters.Meter(Name)
	var err error
	o.duration, err = meter.Float64Histogram("db.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of operations of the store."), metric.WithExplicitBucketBoundaries(buckets...))
	if err != nil {
		return nil, err
	}
	o.rows, err = meter.Int64Counter("nacre.client.operation.rows", metric.WithUnit("{row}"),
		metric.WithDescription("Rows and elements that operations read or wrote."))
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Observe feeds one operation.
func (o *Observer) Observe(ctx context.Context, ob store.Observation) {
	a := o.attributes(series{ob.Operation, ob.Table, ob.Part, ob.Outcome(), ob.Cached})
	o.duration.Record(ctx, ob.Duration.Seconds(), a.record...)
	if ob.Rows > 0 {
		o.rows.Add(ctx, int64(ob.Rows), a.add...)
	}
	if ob.Cached || !o.roots && !trace.SpanContextFromContext(ctx).IsValid() {
		return
	}
	_, span := o.tracer.Start(ctx, a.name, trace.WithTimestamp(ob.Start), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(a.span...))
	if span.IsRecording() {
		span.SetAttributes(attribute.Int("db.response.returned_rows", ob.Rows))
		if ob.Failed > 0 {
			span.SetAttributes(attribute.Int("nacre.failed_rows", ob.Failed))
		}
		if ob.Err != nil && !answer(ob.Outcome()) {
			span.SetStatus(codes.Error, ob.Err.Error())
		}
	}
	span.End(trace.WithTimestamp(ob.Start.Add(ob.Duration)))
}

// answer tells outcomes that are answers of a store that works.
func answer(outcome string) bool { return outcome == "not_found" || outcome == "conflict" }

func (o *Observer) attributes(s series) *attributes {
	o.mu.RLock()
	a := o.known[s]
	o.mu.RUnlock()
	if a != nil {
		return a
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if a := o.known[s]; a != nil {
		return a
	}
	a = &attributes{name: s.operation, span: []attribute.KeyValue{
		attribute.String("db.system.name", "redis"),
		attribute.String("db.operation.name", s.operation),
	}}
	if table := s.table; table != "" {
		if s.part != "" {
			table += "." + s.part
		}
		a.name += " " + table
		a.span = append(a.span, attribute.String("db.collection.name", table))
	}
	if s.cached {
		a.span = append(a.span, attribute.Bool("nacre.cached", true))
	}
	if s.outcome != "ok" {
		a.span = append(a.span, attribute.String("error.type", s.outcome))
	}
	set := metric.WithAttributeSet(attribute.NewSet(a.span...))
	a.record, a.add = []metric.RecordOption{set}, []metric.AddOption{set}
	o.known[s] = a
	return a
}
