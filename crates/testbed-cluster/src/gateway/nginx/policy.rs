//! Which requests a canary takes, as its annotations say.

use bytes::Bytes;
use http::Request;
use regex::Regex;
use serde_json::Value;

use crate::view;

const PREFIX: &str = "nginx.ingress.kubernetes.io/canary";

/// The annotations of a canary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    /// The share of the requests that neither header nor cookie decides, in percent.
    pub weight: u64,
    header: String,
    header_value: String,
    header_pattern: String,
    cookie: String,
}

impl Policy {
    /// The policy of an Ingress; `None` when it is not a canary.
    pub fn read(ingress: &Value) -> Option<Self> {
        let text = |name: &str| view::annotation(ingress, &format!("{PREFIX}{name}")).to_owned();
        (text("") == "true").then(|| Policy {
            weight: text("-weight").parse().unwrap_or_default(),
            header: text("-by-header"),
            header_value: text("-by-header-value"),
            header_pattern: text("-by-header-pattern"),
            cookie: text("-by-cookie"),
        })
    }

    /// What header and cookie decide; `None` when the share does.
    pub fn takes(&self, request: &Request<Bytes>) -> Option<bool> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let word = |text: &str| match text {
            "always" => Some(true),
            "never" => Some(false),
            _ => None,
        };
        let by_header = header(&self.header).and_then(|value| {
            if !self.header_value.is_empty() {
                (value == self.header_value).then_some(true)
            } else if !self.header_pattern.is_empty() {
                let pattern = Regex::new(&self.header_pattern).ok()?;
                pattern.is_match(value).then_some(true)
            } else {
                word(value)
            }
        });
        let cookies = header("cookie").unwrap_or_default().split(';').filter_map(|one| one.split_once('='));
        let mut ours = cookies.filter(|(name, _)| name.trim() == self.cookie);
        by_header.or_else(|| ours.next().and_then(|(_, value)| word(value.trim())))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_header_decides_before_a_cookie_and_a_cookie_before_the_share() {
        let check = |annotations: &[(&str, &str)], headers: &[(&str, &str)], expect: Option<bool>| {
            let mut ingress = json!({"metadata": {"annotations": {PREFIX: "true"}}});
            for (name, value) in annotations {
                ingress["metadata"]["annotations"][format!("{PREFIX}-{name}")] = json!(value);
            }
            let mut request = Request::builder();
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Bytes::new()).unwrap();
            assert_eq!(
                Policy::read(&ingress).unwrap().takes(&request),
                expect,
                "{annotations:?} {headers:?}"
            );
        };
        check(&[("weight", "50")], &[], None);
        let header = ("by-header", "x-canary");
        check(&[header], &[("x-canary", "always")], Some(true));
        check(&[header], &[("x-canary", "never")], Some(false));
        check(&[header], &[("x-canary", "insider")], None);
        check(&[header, ("by-header-value", "insider")], &[("x-canary", "insider")], Some(true));
        check(&[header, ("by-header-value", "insider")], &[("x-canary", "always")], None);
        check(&[header, ("by-header-pattern", "^in")], &[("x-canary", "insider")], Some(true));
        let cookie = ("by-cookie", "canary");
        check(&[cookie], &[("cookie", "a=b; canary=always")], Some(true));
        check(&[cookie], &[("cookie", "canary=never")], Some(false));
        check(&[cookie], &[("cookie", "canary=x")], None);
        check(&[header, cookie], &[("x-canary", "never"), ("cookie", "canary=always")], Some(false));
        assert_eq!(Policy::read(&json!({"metadata": {"annotations": {PREFIX: "false"}}})), None);
    }
}
