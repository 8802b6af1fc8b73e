// Sends the checkout trace of ../README.md with a published Go client and prints its ids, or prints what a remote sampler
// decides, whenever that changes.
//
//	client --client jaeger-udp --endpoint 127.0.0.1:6831 --service shop --start 1700000000000000
//	client --client follow-sampler --endpoint http://127.0.0.1:5778/sampling --service shop
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

// sent is the ids of the trace, in hexadecimal, as they are printed.
type sent struct {
	TraceID string            `json:"traceID"`
	Spans   map[string]string `json:"spans"`
}

// clock tells times relative to the start of the trace.
type clock struct{ start time.Time }

func (c clock) at(micros int64) time.Time {
	return c.start.Add(time.Duration(micros) * time.Microsecond)
}

func main() {
	client := flag.String("client", "", "jaeger-udp, jaeger-http, otel-jaeger-http, otlp-grpc, otlp-http-proto, otlp-http-json or follow-sampler")
	endpoint := flag.String("endpoint", "", "where to send: host:port or URL, as the client takes it")
	service := flag.String("service", "", "name of the service")
	start := flag.Int64("start", 0, "start of the trace, in microseconds since 1970")
	flag.Parse()

	var result sent
	var err error
	at := clock{time.UnixMicro(*start)}
	switch *client {
	case "jaeger-udp", "jaeger-http":
		result, err = sendOpenTracing(*client, *endpoint, *service, at)
	case "otel-jaeger-http", "otlp-grpc", "otlp-http-proto", "otlp-http-json":
		result, err = sendOpenTelemetry(*client, *endpoint, *service, at)
	case "follow-sampler":
		err = followSampler(*endpoint, *service)
	default:
		err = fmt.Errorf("unknown client %q", *client)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
