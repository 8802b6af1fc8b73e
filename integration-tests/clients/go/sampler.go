package main

import (
	"fmt"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// followSampler polls the endpoint with jaeger-client's remote sampler and prints what it decides for most spans of two
// operations whenever that changes, until the process is ended. Not for each span: this client grants one more after each poll.
func followSampler(endpoint, service string) error {
	sampler := jaeger.NewRemotelyControlledSampler(service,
		jaeger.SamplerOptions.SamplingServerURL(endpoint),
		jaeger.SamplerOptions.SamplingRefreshInterval(200*time.Millisecond),
		jaeger.SamplerOptions.InitialSampler(jaeger.NewConstSampler(false)))
	tracer, closer := jaeger.NewTracer(service, sampler, jaeger.NewNullReporter())
	defer closer.Close()

	last := ""
	for {
		decisions := fmt.Sprintf("checkout=%t charge=%t", sampled(tracer, "checkout"), sampled(tracer, "charge"))
		if decisions != last {
			fmt.Println(decisions)
			last = decisions
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func sampled(tracer opentracing.Tracer, operation string) bool {
	count := 0
	for range 10 {
		if tracer.StartSpan(operation).Context().(jaeger.SpanContext).IsSampled() {
			count++
		}
	}
	return count > 5
}
