//! Which addresses may be called: any but link-local and cloud metadata addresses, which serve credentials of the
//! machine. Private ranges and loopback stay allowed, because hooks and metric servers are there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use crate::{CallError, url::host_and_port};

const LINK_LOCAL: &str = "it is a link-local address";
const METADATA: &str = "it is a cloud metadata address";
const UNSPECIFIED: &str = "it is the unspecified address";
const MULTICAST: &str = "it is a multicast or broadcast address";

/// Addresses outside the link-local ranges where clouds serve credentials of the machine.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(168, 63, 129, 16),   // Azure, WireServer
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle Cloud
];
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), // AWS, instance metadata
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),  // AWS, pod identity
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),  // Google Cloud
];
/// Names that resolve to them. A proxy would resolve them itself.
const METADATA_NAMES: [&str; 2] = ["metadata.google.internal", "instance-data.ec2.internal"];

/// The rule that forbids `address`, if one does. Forms that carry an IPv4 address inside an IPv6 one are judged by
/// what they carry.
pub(crate) fn forbidden(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => forbidden_v6(v6),
    }
}

/// Checks what a URL itself says: a literal address, or a name known to be one. What other names resolve to is checked
/// when they are looked up.
pub(crate) fn check_host(url: &Url) -> Result<(), CallError> {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let rule = match literal {
        Some(address) => forbidden(address),
        None => METADATA_NAMES.contains(&name.as_str()).then_some(METADATA),
    };
    match rule {
        Some(rule) => Err(CallError::Refused { address: host_and_port(url), rule }),
        None => Ok(()),
    }
}

/// Whether a URL names the loopback interface.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    literal.map_or(host == "localhost", |address| address.to_canonical().is_loopback())
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address {
        a if a.is_link_local() => Some(LINK_LOCAL),
        a if METADATA_V4.contains(&a) => Some(METADATA),
        a if a.octets().first() == Some(&0) => Some(UNSPECIFIED),
        a if a.is_multicast() || a.is_broadcast() => Some(MULTICAST),
        _ => None,
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        return None;
    }
    match address {
        a if a.is_unspecified() => Some(UNSPECIFIED),
        a if a.is_unicast_link_local() => Some(LINK_LOCAL),
        a if METADATA_V6.contains(&a) => Some(METADATA),
        a if a.is_multicast() => Some(MULTICAST),
        a => carried(a).and_then(forbidden_v4),
    }
}

/// The IPv4 address inside a mapped, compatible (RFC 4291), NAT64 (RFC 6052) or 6to4 (RFC 3056) address.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] => v4(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_url;

    fn check(url: &str, rule: Option<&'static str>) {
        let seen = check_host(&parse_url(url).expect(url)).err().map(|e| match e {
            CallError::Refused { rule, .. } => rule,
            other => panic!("{url}: {other}"),
        });
        assert_eq!(seen, rule, "{url}");
    }

    #[test]
    fn only_link_local_metadata_and_meaningless_addresses_are_refused() {
        check("http://169.254.169.254/latest", Some(LINK_LOCAL));
        check("http://169.254.0.1", Some(LINK_LOCAL));
        check("http://2852039166/", Some(LINK_LOCAL)); // decimal form of 169.254.169.254
        check("http://0xa9.0xfe.0xa9.0xfe/", Some(LINK_LOCAL));
        check("http://0251.0376.0251.0376/", Some(LINK_LOCAL));
        check("http://169.254.169.254./", Some(LINK_LOCAL));
        check("http://[fe80::1]/", Some(LINK_LOCAL));
        check("http://[febf::1]/", Some(LINK_LOCAL));
        check("http://[::ffff:169.254.169.254]/", Some(LINK_LOCAL));
        check("http://[::169.254.169.254]/", Some(LINK_LOCAL));
        check("http://[::ffff:0:169.254.169.254]/", Some(LINK_LOCAL));
        check("http://[64:ff9b::a9fe:a9fe]/", Some(LINK_LOCAL));
        check("http://[2002:a9fe:a9fe::1]/", Some(LINK_LOCAL));
        check("http://[fd00:ec2::254]/", Some(METADATA));
        check("http://[fd00:ec2::23]/", Some(METADATA));
        check("http://[fd20:ce::254]/", Some(METADATA));
        check("http://100.100.100.200/", Some(METADATA));
        check("http://168.63.129.16/", Some(METADATA));
        check("http://192.0.0.192/", Some(METADATA));
        check("http://Metadata.Google.Internal./", Some(METADATA));
        check("http://0.0.0.0:9090/", Some(UNSPECIFIED));
        check("http://0.1.2.3/", Some(UNSPECIFIED));
        check("http://[::]/", Some(UNSPECIFIED));
        check("http://224.0.0.1/", Some(MULTICAST));
        check("http://255.255.255.255/", Some(MULTICAST));
        check("http://[ff02::1]/", Some(MULTICAST));
    }

    #[test]
    fn cluster_private_and_loopback_addresses_are_allowed() {
        for url in [
            "http://127.0.0.1:9090",
            "http://localhost:9090",
            "http://[::1]:9090",
            "http://[::ffff:127.0.0.1]/",
            "http://10.0.0.1",
            "http://172.16.0.1",
            "http://192.168.1.1",
            "http://100.64.0.1",
            "http://[fd00::1]",
            "http://prometheus:9090",
            "https://hooks.example.com/x",
        ] {
            check(url, None);
        }
    }
}
