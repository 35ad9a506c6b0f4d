//! A hook as it is called: address, timeout and retries of the user's spec.

use vexil_api::Webhook;
use vexil_egress::{Url, parse_url};

use crate::{HookError, retry::backoffs_ms};

const DEFAULT_TIMEOUT_MS: u64 = 10_000;

/// The longest call, with all retries, in milliseconds.
const LONGEST_MS: u64 = 3_600_000;

/// Where a hook is, and how long and how often it is called.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    pub(crate) url: Url,
    pub(crate) timeout_ms: u64,
    pub(crate) retries: u32,
    pub(crate) skip_verify: bool,
}

impl Hook {
    /// Reads the user's spec. A timeout of zero counts as absent, so that every call ends.
    ///
    /// # Errors
    /// [`HookError::Invalid`] when the URL or the timeout cannot be parsed.
    pub fn of(webhook: &Webhook) -> Result<Self, HookError> {
        let timeout_ms = webhook
            .timeout_ms()
            .map_err(|e| HookError::Invalid { field: "timeout", problem: e.to_string() })?;
        Ok(Hook {
            timeout_ms: if timeout_ms == 0 { DEFAULT_TIMEOUT_MS } else { timeout_ms.min(LONGEST_MS) },
            retries: webhook.retries(),
            skip_verify: webhook.disable_tls(),
            ..Hook::at(&webhook.url)?
        })
    }

    /// A hook that belongs to no Canary, such as the global event webhook: a timeout of 10 s, no retries.
    ///
    /// # Errors
    /// [`HookError::Invalid`] when the URL cannot be parsed.
    pub fn at(url: &str) -> Result<Self, HookError> {
        let url = parse_url(url).map_err(|e| HookError::Invalid { field: "url", problem: e.to_string() })?;
        Ok(Hook { url, timeout_ms: DEFAULT_TIMEOUT_MS, retries: 0, skip_verify: false })
    }

    /// The longest that [`crate::send`] takes, in milliseconds: twice what the attempts with their full timeouts and
    /// the waits between them add up to, at most an hour. The second half is what a `Retry-After` may ask for.
    pub fn budget_ms(&self) -> u64 {
        let attempts = self.timeout_ms.saturating_mul(u64::from(self.retries).saturating_add(1));
        attempts.saturating_add(backoffs_ms(self.retries)).saturating_mul(2).min(LONGEST_MS)
    }
}

/// Without user, password and query, which may be secret.
impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hook {} ({}ms, {} retries)", vexil_egress::shown(&self.url), self.timeout_ms, self.retries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(timeout: Option<&str>, retries: i64, expect: Result<(u64, u64), &str>) {
        let hook = Hook::of(&Webhook {
            url: "http://hooks/x".to_owned(),
            timeout: timeout.map(str::to_owned),
            retries: Some(retries),
            ..Webhook::default()
        });
        let got = hook.map(|h| (h.timeout_ms, h.budget_ms())).map_err(|e| e.to_string());
        assert_eq!(got, expect.map_err(str::to_owned), "{timeout:?} {retries}");
    }

    #[test]
    fn every_call_has_a_time_limit() {
        check(None, 0, Ok((10_000, 20_000)));
        check(Some("5s"), 0, Ok((5_000, 10_000)));
        check(Some("5s"), 2, Ok((5_000, 36_000)));
        check(Some("0s"), 0, Ok((10_000, 20_000)));
        check(Some("5s"), -1, Ok((5_000, 10_000)));
        check(Some("20m"), 1, Ok((1_200_000, 3_600_000)));
        check(Some("99h"), 0, Ok((3_600_000, 3_600_000)));
        check(Some("1s"), i64::from(u32::MAX), Ok((1_000, 3_600_000)));
        check(
            Some("1min"),
            0,
            Err("webhook timeout: duration `1min` has the unknown unit `min` (ms, s, m or h)"),
        );
    }

    #[test]
    fn an_error_about_a_url_shows_no_part_of_it() {
        for (url, problem) in [
            ("", "address is empty"),
            ("file:///etc/passwd", "scheme file is not supported, only http and https are"),
            ("http://u:MARKER@h:99999/", "address is not a valid URL: invalid port number"),
        ] {
            let error = Hook::at(url).expect_err(url).to_string();
            assert_eq!(error, format!("webhook url: {problem}"));
        }
        let hook = Hook::at("http://u:MARKER@h/p?token=MARKER").expect("hook");
        assert_eq!(format!("{hook:?}"), "hook http://h/p (10000ms, 0 retries)");
    }
}
