package main

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/jaeger"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func openTelemetryExporter(ctx context.Context, client, endpoint string) (sdktrace.SpanExporter, error) {
	switch client {
	case "otlp-grpc":
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(endpoint))
	case "otlp-http-proto":
		return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint+"/v1/traces"))
	case "otlp-http-json":
		return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint+"/v1/traces"),
			otlptracehttp.WithEncoding(otlptracehttp.EncodingJSON))
	default:
		// The call that Kratos's documentation shows.
		return jaeger.New(jaeger.WithCollectorEndpoint(jaeger.WithEndpoint(endpoint)))
	}
}

// sendOpenTelemetry sends with the OpenTelemetry SDK; client names the exporter.
func sendOpenTelemetry(client, endpoint, service string, at clock) (sent, error) {
	ctx := context.Background()
	exporter, err := openTelemetryExporter(ctx, client, endpoint)
	if err != nil {
		return sent{}, err
	}
	witness := &witness{SpanExporter: exporter}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(witness),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", service),
			attribute.String("service.version", "1.2.3"),
			attribute.Int("replica", 3),
			attribute.StringSlice("deployment.zones", []string{"a", "b"}),
		)))
	tracer := provider.Tracer("skua.integration-tests", trace.WithInstrumentationVersion("1.0"))

	inCheckout, checkout := tracer.Start(ctx, "checkout", trace.WithTimestamp(at.at(0)),
		trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("text", "Señal ✓"),
			attribute.Bool("flag", true),
			attribute.Int("count", 42),
			attribute.Float64("ratio", 0.25),
			attribute.StringSlice("texts", []string{"a", "b"}),
		))
	checkout.AddEvent("cache miss", trace.WithTimestamp(at.at(1000)),
		trace.WithAttributes(attribute.String("key", "basket"), attribute.Int("size", 3)))

	_, charge := tracer.Start(inCheckout, "charge", trace.WithTimestamp(at.at(2000)),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("peer.service", "payments")))
	charge.SetStatus(codes.Error, "card refused")
	charge.End(trace.WithTimestamp(at.at(5000)))

	_, receipt := tracer.Start(inCheckout, "receipt", trace.WithTimestamp(at.at(6000)),
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithLinks(trace.Link{
			SpanContext: charge.SpanContext(),
			Attributes:  []attribute.KeyValue{attribute.String("why", "paid")},
		}))
	receipt.End(trace.WithTimestamp(at.at(8000)))
	checkout.End(trace.WithTimestamp(at.at(10000)))

	ids := map[string]string{}
	for name, span := range map[string]trace.Span{"checkout": checkout, "charge": charge, "receipt": receipt} {
		ids[name] = span.SpanContext().SpanID().String()
	}
	if err := provider.Shutdown(ctx); err != nil {
		return sent{}, err
	}
	return sent{checkout.SpanContext().TraceID().String(), ids}, witness.failed
}

// witness remembers a failed export: the processor only hands it to a global handler.
type witness struct {
	sdktrace.SpanExporter
	failed error
}

func (w *witness) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := w.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		w.failed = err
	}
	return err
}
