package main

import (
	"errors"
	"io"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/transport"
)

// failures remembers what the reporter could not send: it only logs it.
type failures struct{ first string }

func (f *failures) Error(message string) {
	if f.first == "" {
		f.first = message
	}
}

func (f *failures) Infof(string, ...any) {}

func openTracingTransport(client, endpoint string) (jaeger.Transport, error) {
	if client == "jaeger-udp" {
		return jaeger.NewUDPTransport(endpoint, 0)
	}
	return transport.NewHTTPTransport(endpoint), nil
}

func newOpenTracer(service string, sender jaeger.Transport, failed *failures) (opentracing.Tracer, io.Closer) {
	reporter := jaeger.NewRemoteReporter(sender, jaeger.ReporterOptions.Logger(failed))
	return jaeger.NewTracer(service, jaeger.NewConstSampler(true), reporter,
		jaeger.TracerOptions.Gen128Bit(true),
		jaeger.TracerOptions.Tag("service.version", "1.2.3"),
		jaeger.TracerOptions.Tag("replica", 3))
}

// sendOpenTracing sends with jaeger-client.
func sendOpenTracing(client, endpoint, service string, at clock) (sent, error) {
	sender, err := openTracingTransport(client, endpoint)
	if err != nil {
		return sent{}, err
	}
	failed := &failures{}
	tracer, closer := newOpenTracer(service, sender, failed)

	checkout := tracer.StartSpan("checkout", opentracing.StartTime(at.at(0)), ext.SpanKindRPCServer)
	ext.SamplingPriority.Set(checkout, 1)
	checkout.SetTag("text", "Señal ✓")
	checkout.SetTag("flag", true)
	checkout.SetTag("count", 42)
	checkout.SetTag("ratio", 0.25)
	checkout.SetTag("bytes", []byte{0, 1, 254, 255})
	checkout.SetBaggageItem("user", "ada")

	charge := tracer.StartSpan("charge", opentracing.StartTime(at.at(2000)), ext.SpanKindRPCClient,
		opentracing.ChildOf(checkout.Context()))
	charge.SetTag("peer.service", "payments")
	ext.Error.Set(charge, true)
	charge.FinishWithOptions(opentracing.FinishOptions{FinishTime: at.at(5000), LogRecords: []opentracing.LogRecord{{
		Timestamp: at.at(4000),
		Fields:    []log.Field{log.String("event", "error"), log.String("message", "card refused")},
	}}})

	receipt := tracer.StartSpan("receipt", opentracing.StartTime(at.at(6000)), ext.SpanKindProducer,
		opentracing.FollowsFrom(charge.Context()), opentracing.ChildOf(checkout.Context()))
	receipt.FinishWithOptions(opentracing.FinishOptions{FinishTime: at.at(8000)})

	archive := tracer.StartSpan("archive", opentracing.StartTime(at.at(7000)), opentracing.FollowsFrom(charge.Context()))
	archive.FinishWithOptions(opentracing.FinishOptions{FinishTime: at.at(9000)})

	checkout.FinishWithOptions(opentracing.FinishOptions{FinishTime: at.at(10000), LogRecords: []opentracing.LogRecord{{
		Timestamp: at.at(1000),
		Fields:    []log.Field{log.String("key", "basket"), log.String("event", "cache miss"), log.Int("size", 3)},
	}}})

	ids := map[string]string{}
	for name, span := range map[string]opentracing.Span{
		"checkout": checkout, "charge": charge, "receipt": receipt, "archive": archive,
	} {
		ids[name] = span.Context().(jaeger.SpanContext).SpanID().String()
	}
	trace := checkout.Context().(jaeger.SpanContext).TraceID().String()
	if err := closer.Close(); err != nil {
		return sent{}, err
	}
	if failed.first != "" {
		return sent{}, errors.New(failed.first)
	}
	return sent{trace, ids}, nil
}
