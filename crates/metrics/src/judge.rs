//! From a value and the user's thresholds to a verdict, with Flagger's texts. Thresholds are inclusive.

use vexil_analysis::Verdict;
use vexil_api::{Metric, ThresholdRange};

use crate::{
    Subject,
    number::{duration, shortest, whole},
};

/// A success rate in percent; the old `threshold` is its least value.
pub(crate) fn success_rate(subject: &Subject<'_>, metric: &Metric, percent: f64) -> Verdict {
    let range = range(metric, |threshold| ThresholdRange { min: Some(threshold), max: None });
    outside(percent, range.min, range.max).map_or(Verdict::Pass, |(sign, bound)| {
        halt(subject, &format!("success rate {percent:.2}% {sign} {}%", shortest(bound)))
    })
}

/// A duration in whole milliseconds; so are its bounds. The old `threshold` is its largest value.
pub(crate) fn request_duration(subject: &Subject<'_>, metric: &Metric, ms: i64) -> Verdict {
    let range = range(metric, |threshold| ThresholdRange { min: None, max: Some(threshold) });
    outside(ms, range.min.map(whole), range.max.map(whole)).map_or(Verdict::Pass, |(sign, bound)| {
        halt(subject, &format!("request duration {} {sign} {}", duration(ms), duration(bound)))
    })
}

/// The value of a query of the user's own; the old `threshold` is its largest value.
pub(crate) fn custom(subject: &Subject<'_>, metric: &Metric, value: f64) -> Verdict {
    let range = range(metric, |threshold| ThresholdRange { min: None, max: Some(threshold) });
    outside(value, range.min, range.max).map_or(Verdict::Pass, |(sign, bound)| {
        halt(subject, &format!("{} {value:.2} {sign} {}", metric.name, shortest(bound)))
    })
}

/// The user's range, else what the old threshold means; absent it is 0.
fn range(metric: &Metric, from_threshold: fn(f64) -> ThresholdRange) -> ThresholdRange {
    metric.threshold_range.unwrap_or_else(|| from_threshold(metric.threshold.unwrap_or_default()))
}

/// The bound that a value exceeds, and the sign between the two.
fn outside<T: PartialOrd>(value: T, min: Option<T>, max: Option<T>) -> Option<(char, T)> {
    match (min, max) {
        (Some(min), _) if value < min => Some(('<', min)),
        (_, Some(max)) if value > max => Some(('>', max)),
        _ => None,
    }
}

fn halt(subject: &Subject<'_>, what: &str) -> Verdict {
    Verdict::Fail(format!("Halt {}.{} advancement {what}", subject.name(), subject.namespace))
}

#[cfg(test)]
mod tests {
    use vexil_api::{CanarySpec, CanaryView};
    use vexil_object::Owner;

    use super::*;

    enum Old {
        Threshold(f64),
        Range(Option<f64>, Option<f64>),
        Nothing,
    }
    use Old::*;

    #[track_caller]
    fn check(judge: impl Fn(&Subject<'_>, &Metric) -> Verdict, bounds: Old, expect: Option<&str>) {
        let spec = CanarySpec::default();
        let owner = Owner { name: "podinfo".to_owned(), uid: String::new() };
        let subject = Subject {
            view: CanaryView::new(&owner, "test", &spec),
            provider: "traefik",
            route: None,
            queries: None,
            metrics_server: "",
            catalog: &crate::MetricCatalog::default(),
        };
        let (threshold, threshold_range) = match bounds {
            Threshold(t) => (Some(t), None),
            Range(min, max) => (Some(77.0), Some(ThresholdRange { min, max })),
            Nothing => (None, None),
        };
        let metric = Metric { name: "errors".to_owned(), threshold, threshold_range, ..Metric::default() };
        let expect = expect
            .map_or(Verdict::Pass, |what| Verdict::Fail(format!("Halt podinfo.test advancement {what}")));
        assert_eq!(judge(&subject, &metric), expect);
    }

    #[test]
    fn a_success_rate_has_a_least_value() {
        let rate = |value: f64| move |s: &Subject<'_>, m: &Metric| success_rate(s, m, value);
        check(rate(53.4167), Range(Some(99.0), None), Some("success rate 53.42% < 99%"));
        check(rate(99.0), Range(Some(99.0), None), None);
        check(rate(98.9999), Range(Some(99.0), None), Some("success rate 99.00% < 99%"));
        check(rate(100.0), Range(Some(0.0), Some(99.5)), Some("success rate 100.00% > 99.5%"));
        check(rate(1.0), Range(None, None), None);
        check(rate(98.0), Threshold(99.0), Some("success rate 98.00% < 99%"));
        check(rate(0.0), Nothing, None);
    }

    #[test]
    fn a_duration_is_compared_in_whole_milliseconds() {
        let took = |ms: i64| move |s: &Subject<'_>, m: &Metric| request_duration(s, m, ms);
        check(took(1_515), Range(None, Some(500.0)), Some("request duration 1.515s > 500ms"));
        check(took(500), Range(None, Some(500.9)), None);
        check(took(501), Range(None, Some(500.9)), Some("request duration 501ms > 500ms"));
        check(took(0), Range(Some(0.5), None), None);
        check(took(5), Range(Some(10.0), None), Some("request duration 5ms < 10ms"));
        check(took(61_000), Threshold(60_000.0), Some("request duration 1m1s > 1m0s"));
        check(took(1), Nothing, Some("request duration 1ms > 0s"));
        check(took(0), Nothing, None);
    }

    #[test]
    fn a_value_of_the_users_own_has_a_largest_value() {
        let value = |value: f64| move |s: &Subject<'_>, m: &Metric| custom(s, m, value);
        check(value(100.0), Range(None, Some(5.0)), Some("errors 100.00 > 5"));
        check(value(0.001), Range(Some(0.01), None), Some("errors 0.00 < 0.01"));
        check(value(2e6), Range(None, Some(1e6)), Some("errors 2000000.00 > 1e+06"));
        check(value(5.0), Range(Some(5.0), Some(5.0)), None);
        check(value(6.0), Threshold(5.0), Some("errors 6.00 > 5"));
        check(value(0.1), Nothing, Some("errors 0.10 > 0"));
        check(value(-1.0), Nothing, None);
    }
}
