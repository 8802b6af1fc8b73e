//! `/api/metrics/…`: there is no store of metrics, and yet a wrong parameter is told of first, as in Jaeger.

use super::*;

const DISABLED: &str = "metrics querying is currently disabled";

/// Scenario: every parameter, right and wrong, in the order in which Jaeger reads them. Guarantees: its texts, then 501.
#[tokio::test]
async fn parameters_come_before_the_refusal() {
    let app = app().await;
    let service = "unable to parse param 'service': please provide at least one service name";
    let all = "service=a&service=b&groupByOperation=true&spanKind=client&spanKind=server&endTs=5&lookback=6&step=7&ratePer=8";
    for what in ["calls", "errors", "latencies"] {
        let path = |query: &str| format!("/api/metrics/{what}?quantile=0.95&{query}");
        for query in
            [all, "service=", "service=a&spanKind=unspecified", "service=a&endTs=&lookback=&step=&ratePer=&groupByOperation="]
        {
            expect_error(&app, &path(query), 501, DISABLED).await;
        }
        expect_error(&app, &path("groupByOperation=x"), 400, service).await;
        let bad_bool = "unable to parse param 'groupByOperation': strconv.ParseBool: parsing \"x\": invalid syntax";
        expect_error(&app, &path("service=a&groupByOperation=x&spanKind=x"), 400, bad_bool).await;
        let kind = "unable to parse param 'spanKind': unsupported span kind: 'foo'";
        expect_error(&app, &path("service=a&spanKind=server&spanKind=foo&endTs=x"), 400, kind).await;
        let names = ["endTs", "lookback", "step", "ratePer"];
        for (i, name) in names.iter().enumerate() {
            let wrong: Vec<String> = names[i..].iter().map(|n| format!("{n}=1s")).collect();
            let text = format!("unable to parse param '{name}': strconv.ParseInt: parsing \"1s\": invalid syntax");
            expect_error(&app, &path(&format!("service=a&{}", wrong.join("&"))), 400, &text).await;
        }
    }
    let quantile =
        |text: &str| format!("unable to parse param 'quantile': strconv.ParseFloat: parsing \"{text}\": invalid syntax");
    expect_error(&app, "/api/metrics/latencies", 400, &quantile("")).await;
    expect_error(&app, "/api/metrics/latencies?quantile=x", 400, &quantile("x")).await;
    expect_error(&app, "/api/metrics/latencies?quantile=.5", 400, service).await;
    expect_error(&app, "/api/metrics/minstep", 501, DISABLED).await;
    expect_error(&app, "/api/metrics/other", 404, "there is no /api/metrics/other").await;
    assert_eq!(send(&app, "POST", "/api/metrics/calls").await.status, 405);
}
