//! Lists, and the addresses that they let through.

use super::*;

/// Whether the list lets a URL through, by what it says alone.
#[track_caller]
fn check(list: &str, url: &str, allowed: bool) {
    let list = Allowed::parse(list).unwrap();
    let seen = list.check(&parse_url(url).unwrap(), false);
    assert_eq!(seen.is_ok(), allowed, "{url}: {seen:?}");
}

#[test]
fn an_empty_list_allows_everything() {
    for list in ["", " ", ",", " , "] {
        assert!(Allowed::parse(list).unwrap().is_empty());
        check(list, "http://anything.example.com:1/", true);
        check(list, "http://10.0.0.1/", true);
    }
    assert!(Allowed::default().with_url("http://prometheus:9090").is_empty());
}

#[test]
fn names_are_compared_as_a_whole_and_with_their_port() {
    let list = "hooks.example.com, *.test:8080,*.svc.cluster.local,EXACT.example.org.:443";
    for (url, allowed) in [
        ("http://hooks.example.com/", true),
        ("https://hooks.example.com:9/", true),
        ("http://HOOKS.example.com./", true),
        ("http://hooks.example.com:x@evil.org/", false),
        ("http://evil.org/hooks.example.com", false),
        ("http://evil.org?hooks.example.com", false),
        ("http://hooks.example.com.evil.org/", false),
        ("http://xhooks.example.com/", false),
        ("http://a.hooks.example.com/", false),
        ("http://tester.test:8080/", true),
        ("http://a.b.test:8080/", true),
        ("http://tester.test/", false),
        ("http://test:8080/", false),
        ("http://.test:8080/", false),
        ("http://eviltest:8080/", false),
        ("http://a.test.svc.cluster.local/", true),
        ("https://exact.example.org/", true),
        ("http://exact.example.org/", false),
        ("http://exact.example.org:443/", true),
        ("http://10.0.0.1/", false),
        ("http://localhost/", false),
    ] {
        check(list, url, allowed);
    }
}

#[test]
fn addresses_are_compared_as_numbers() {
    let list = "10.1.0.0/16, 192.168.7.9, 172.16.0.5:9090, fd00::/8, [fe81::1]:80, 2001:db8::1";
    for (url, allowed) in [
        ("http://10.1.255.255:9/", true),
        ("http://10.2.0.0/", false),
        ("http://0x0a010001/", true),
        ("http://[::ffff:10.1.0.1]/", true),
        ("http://[::ffff:10.2.0.1]/", false),
        ("http://192.168.7.9:1/", true),
        ("http://192.168.7.10/", false),
        ("http://172.16.0.5:9090/", true),
        ("http://172.16.0.5/", false),
        ("http://[fd12::1]:7/", true),
        ("http://[2001:db8::1]/", true),
        ("http://[2001:db8:0:0::1]:4/", true),
        ("http://[2001:db8::2]/", false),
        ("http://[fe81::1]/", true),
        ("http://[fe81::1]:81/", false),
    ] {
        check(list, url, allowed);
    }
    check("10.0.0.5:80,10.0.0.0/8", "http://10.0.0.5:81/", true);
}

/// With ranges a name is judged by what it leads to; without, it must be listed.
#[test]
fn a_name_that_is_not_listed_is_judged_by_its_addresses() {
    check("hooks.example.com", "http://other.test/", false);
    check("10.0.0.0/8", "http://other.test/", true);
    check("10.0.0.0/8,other.test:80", "http://other.test:81/", false);
    let list = Allowed::parse("10.0.0.0/8,listed.test").unwrap();
    let address = |text: &str| text.parse().unwrap();
    for (name, to, allowed) in [
        ("other.test", "10.0.0.1", true),
        ("other.test", "::ffff:10.0.0.1", true),
        ("other.test", "11.0.0.1", false),
        ("listed.test", "11.0.0.1", true),
        ("Listed.Test.", "11.0.0.1", true),
    ] {
        assert_eq!(list.may_lead(name, address(to)), allowed, "{name} {to}");
    }
    let proxied = list.check(&parse_url("http://other.test/").unwrap(), true).unwrap_err();
    assert!(proxied.to_string().contains("behind a proxy"), "{proxied}");
    assert!(list.check(&parse_url("http://listed.test/").unwrap(), true).is_ok());
    assert!(list.check(&parse_url("http://10.9.9.9/").unwrap(), true).is_ok());
}

#[test]
fn what_the_admins_flags_name_is_allowed() {
    let list = Allowed::parse("hooks.test").unwrap();
    let list =
        list.with_url("http://prometheus:9090/x").with_url("https://events.example.com").with_url("nonsense");
    for (url, allowed) in [
        ("http://prometheus:9090/api", true),
        ("http://prometheus/", false),
        ("https://events.example.com/", true),
        ("http://events.example.com/", false),
    ] {
        assert_eq!(list.check(&parse_url(url).unwrap(), false).is_ok(), allowed, "{url}");
    }
}

#[test]
fn an_entry_that_is_none_is_named() {
    for entry in [
        "*",
        "*:80",
        "*.",
        "a.*.com",
        "http://hooks.test/",
        "hooks.test/path",
        "hooks.test:0",
        "hooks.test:99999",
        "hooks.test:http",
        "10.0.0.0/33",
        "10.0.0.0/8:80",
        "*.10.0.0.1",
        "user@hooks.test",
        "a b",
        "[::1",
    ] {
        let error = Allowed::parse(&format!("ok.test,{entry}")).expect_err(entry);
        assert_eq!(error, BadEntry(entry.to_owned()));
        assert!(error.to_string().starts_with(&format!("`{entry}` is neither a name")), "{error}");
    }
}
