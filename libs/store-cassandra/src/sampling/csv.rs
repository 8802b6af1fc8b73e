//! The texts of Jaeger's rows: comma-separated values (RFC 4180) as Go's `encoding/csv` writes them, lines that end in `\n`.

use skua_store::sampling::{ByOperation, Throughput};
use std::fmt::Write;

/// `service,operation,count,"p1,p2"`
pub(super) fn write_throughput(throughput: &[Throughput]) -> String {
    let mut out = String::new();
    for one in throughput {
        let probabilities = one.probabilities.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        line(&mut out, &[&one.service, &one.operation, &one.count.to_string(), &probabilities]);
    }
    out
}

/// Lines that are not as they should be are left out.
pub(super) fn read_throughput(text: &str) -> Vec<Throughput> {
    let read = |[service, operation, count, probabilities]: [String; 4]| {
        let probabilities = probabilities.split(',').filter(|p| !p.is_empty()).map(str::to_owned).collect();
        Some(Throughput { service, operation, count: count.parse().ok()?, probabilities })
    };
    lines(text).filter_map(read).collect()
}

/// `service,operation,probability,qps`
pub(super) fn write_probabilities(probabilities: &ByOperation, qps: &ByOperation) -> String {
    let mut out = String::new();
    for (service, of_service) in probabilities {
        for (operation, probability) in of_service {
            let qps = qps.get(service).and_then(|of_service| of_service.get(operation)).copied().unwrap_or(0.0);
            line(&mut out, &[service, operation, &probability.to_string(), &qps.to_string()]);
        }
    }
    out
}

/// The probabilities alone.
pub(super) fn read_probabilities(text: &str) -> ByOperation {
    let mut all = ByOperation::new();
    for [service, operation, probability, _] in lines(text) {
        if let Ok(probability) = probability.parse() {
            all.entry(service).or_default().insert(operation, probability);
        }
    }
    all
}

fn line(out: &mut String, fields: &[&str; 4]) {
    for (i, field) in fields.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if needs_quotes(field) {
            let _ = write!(out, "\"{}\"", field.replace('"', "\"\""));
        } else {
            out.push_str(field);
        }
    }
    out.push('\n');
}

/// As Go: an empty field has none, one that begins with a space has.
fn needs_quotes(field: &str) -> bool {
    field == r"\." || field.contains([',', '"', '\r', '\n']) || field.starts_with(char::is_whitespace)
}

/// The lines of four fields.
fn lines(text: &str) -> impl Iterator<Item = [String; 4]> {
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        chars.peek()?;
        let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    field.push('"');
                }
                '"' if quoted || field.is_empty() => quoted = !quoted,
                ',' if !quoted => fields.push(std::mem::take(&mut field)),
                '\r' if !quoted && chars.peek() == Some(&'\n') => {}
                '\n' if !quoted => break,
                c => field.push(c),
            }
        }
        fields.push(field);
        Some(fields)
    })
    .filter_map(|fields| fields.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_gos() {
        let one = |service: &str, operation: &str, count, probabilities: &[&str]| Throughput {
            service: service.to_owned(),
            operation: operation.to_owned(),
            count,
            probabilities: probabilities.iter().map(|p| (*p).to_owned()).collect(),
        };
        let throughput = [
            one("svc", "GET /", 40, &["0.001000", "0.100000"]),
            one("a,b", "say \"hi\"\nnow", 0, &[]),
            one(" lead", "", 1, &["0.100000"]),
        ];
        let text = write_throughput(&throughput);
        assert_eq!(text, "svc,GET /,40,\"0.001000,0.100000\"\n\"a,b\",\"say \"\"hi\"\"\nnow\",0,\n\" lead\",,1,0.100000\n");
        assert_eq!(read_throughput(&text), throughput);
        assert_eq!(read_throughput("svc,op,many,\nsvc,op\n"), []);
        let of = |v: f64| ByOperation::from([("svc".to_owned(), [("GET /".to_owned(), v)].into())]);
        assert_eq!(write_probabilities(&of(0.1), &of(2.0)), "svc,GET /,0.1,2\n");
        assert_eq!(write_probabilities(&of(1e-7), &ByOperation::new()), "svc,GET /,0.0000001,0\n");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(service in ".{1,9}", operation in any::<String>(), count: u64, p in 0.0..1.0) {
            // Go too reads \r\n inside of quotes as \n; nobody has such names.
            prop_assume!(!operation.contains('\r') && !service.contains('\r'));
            let of = |v: f64| ByOperation::from([(service.clone(), [(operation.clone(), v)].into())]);
            let text = write_probabilities(&of(p), &of(3.0));
            prop_assert_eq!(read_probabilities(&text), of(p));
            let one = Throughput { service, operation, count, probabilities: [format!("{p:.6}")].into() };
            prop_assert_eq!(read_throughput(&write_throughput(std::slice::from_ref(&one))), vec![one]);
        }
    }
}
