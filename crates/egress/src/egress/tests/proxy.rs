//! Requests that name a proxy of their own.

use super::*;

#[tokio::test]
async fn a_request_names_its_own_proxy_which_the_policy_checks() {
    let via = |proxy: &str, url: &str| Request {
        proxy: Some(parse_url(proxy).expect(proxy)),
        ..Request::post(parse_url(url).expect(url), b"x".to_vec())
    };
    let target = "http://only-the-proxy-knows.test/a";
    let seen = outcome_of(MIRROR, |a| via(&format!("http://u:pw@{a}"), target)).await;
    assert!(seen.starts_with("200 post http://only-the-proxy-knows.test/a http/1.1"), "{seen}");
    assert!(seen.contains("proxy-authorization: basic dtpwdw=="), "{seen}");
    for (proxy, url) in [
        ("http://169.254.169.254", target),
        ("http://bad.test", target),
        ("http://good.test", "http://169.254.1.1"),
    ] {
        let refused = outcome_of(OK, |_| via(proxy, url)).await;
        assert!(refused.contains("is not allowed: it is a link-local address"), "{proxy} {url}: {refused}");
    }
}
