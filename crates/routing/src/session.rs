//! The cookies of session affinity: how requests that carry one are recognised, and the headers that set and delete it.

use vexil_api::SessionAffinity;

use crate::RouteTarget;

/// The cookies of session affinity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Session<'a> {
    /// The cookie of clients that reached the canary, `name=value`. Its value is another one in each rollout.
    pub canary: &'a str,
    /// The cookie of clients that reached the primary; `None` when they get none.
    pub primary: Option<&'a str>,
    /// The cookie of the last rollout, which clients may still send.
    pub previous: Option<&'a str>,
    /// How long the canary's cookie is valid, in seconds.
    pub max_age_s: u64,
    /// How long the primary's cookie is valid, in seconds: an interval of the analysis.
    pub primary_max_age_s: u64,
    /// The attributes of the cookies: domain, path, `HttpOnly` and the others.
    pub attributes: &'a SessionAffinity,
}

impl<'a> Session<'a> {
    /// The session of a Canary. The error is the field that is missing.
    pub(crate) fn of(target: &RouteTarget<'a>) -> Result<Self, &'static str> {
        let analysis = target.spec.analysis();
        let attributes = analysis.and_then(|analysis| analysis.session_affinity.as_ref());
        let attributes = attributes.ok_or("spec.analysis.sessionAffinity")?;
        Ok(Session {
            canary: target.cookies.canary.ok_or("status.sessionAffinityCookie")?,
            // The status keeps the cookie when the user no longer wants it.
            primary: target.cookies.primary.filter(|cookie| {
                let name = cookie.split_once('=').map_or(*cookie, |(name, _)| name);
                attributes.primary_cookie_name.as_deref() == Some(name)
            }),
            previous: target.cookies.previous,
            max_age_s: u64::try_from(attributes.max_age_s()).unwrap_or(0),
            primary_max_age_s: analysis.map_or(0, |analysis| analysis.interval_ms(0) / 1_000),
            attributes,
        })
    }

    /// While the canary gets no traffic: the cookie of the last rollout, and the `Set-Cookie` header that deletes it
    /// from clients that still send it.
    pub fn ended(target: &RouteTarget<'a>) -> Option<(&'a str, String)> {
        let attributes = target.spec.analysis()?.session_affinity.as_ref()?;
        target.cookies.previous.map(|cookie| (cookie, delete_cookie(cookie, attributes)))
    }

    /// The `Set-Cookie` header of responses of the canary.
    pub fn set_canary(&self) -> String {
        set_cookie(self.canary, self.max_age_s, self.attributes)
    }

    /// The `Set-Cookie` header of responses of the primary; `None` when it sets no cookie.
    pub fn set_primary(&self) -> Option<String> {
        self.primary.map(|cookie| set_cookie(cookie, self.primary_max_age_s, self.attributes))
    }
}

/// The `Set-Cookie` header of a cookie `name=value`, with its attributes in the order in which Flagger writes them.
pub fn set_cookie(cookie: &str, max_age_s: u64, attributes: &SessionAffinity) -> String {
    let flag = |is_set: Option<bool>, name: &str| (is_set == Some(true)).then(|| format!("; {name}"));
    let valued = |value: &Option<String>, name: &str| {
        value.as_deref().filter(|value| !value.is_empty()).map(|value| format!("; {name}={value}"))
    };
    let parts = [
        valued(&attributes.domain, "Domain"),
        flag(attributes.http_only, "HttpOnly"),
        flag(attributes.partitioned, "Partitioned"),
        valued(&attributes.path, "Path"),
        valued(&attributes.same_site, "SameSite"),
        flag(attributes.secure, "Secure"),
    ];
    let attributes: String = parts.into_iter().flatten().collect();
    format!("{cookie}; Max-Age={max_age_s}{attributes}")
}

/// The regular expression of `Cookie` headers that carry a cookie `name=value`, as Flagger writes it.
pub fn cookie_pattern(cookie: &str) -> String {
    let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
    format!(".*{}.*{}.*", escaped(name), escaped(value))
}

/// A text as a regular expression that only this text matches.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The `Set-Cookie` header that deletes a cookie from a client. A browser deletes it only if domain and path are those
/// that it was set with.
fn delete_cookie(cookie: &str, attributes: &SessionAffinity) -> String {
    let SessionAffinity { domain, path, .. } = attributes.clone();
    let text = set_cookie(cookie, 0, &SessionAffinity { domain, path, ..SessionAffinity::default() });
    text.replacen("; Max-Age=0", "; Max-Age=-1", 1)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(attributes: Value, set: &str, delete: &str) {
        let attributes: SessionAffinity = serde_json::from_value(attributes).unwrap();
        assert_eq!(set_cookie("c=abc", 60, &attributes), set);
        assert_eq!(delete_cookie("c=abc", &attributes), delete);
    }

    #[test]
    fn attributes_are_in_flaggers_order() {
        check(json!({}), "c=abc; Max-Age=60", "c=abc; Max-Age=-1");
        check(
            json!({"secure": true, "sameSite": "Lax", "path": "/a", "partitioned": true, "httpOnly": true,
                   "domain": "example.com"}),
            "c=abc; Max-Age=60; Domain=example.com; HttpOnly; Partitioned; Path=/a; SameSite=Lax; Secure",
            "c=abc; Max-Age=-1; Domain=example.com; Path=/a",
        );
        check(
            json!({"secure": false, "sameSite": "", "httpOnly": false}),
            "c=abc; Max-Age=60",
            "c=abc; Max-Age=-1",
        );
    }

    #[test]
    fn a_pattern_is_flaggers_and_takes_names_literally() {
        assert_eq!(cookie_pattern("flagger-cookie=LpsIaLdoNZ"), ".*flagger-cookie.*LpsIaLdoNZ.*");
        assert_eq!(cookie_pattern("a.b=c+"), r".*a\.b.*c\+.*");
    }
}
