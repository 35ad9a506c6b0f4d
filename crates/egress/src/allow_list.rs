//! The admin's list of addresses that may be called. Users write the addresses of hooks and metric servers; who runs
//! the operator may say where these can be.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

use crate::{CallError, parse_url, url::host_and_port};

/// What is said of an address that the list lacks.
pub(crate) const UNLISTED: &str = "the list of allowed addresses does not have it";
/// What is said of a name that only a proxy resolves.
const UNSEEN: &str =
    "the list of allowed addresses does not have its name, and behind a proxy nothing else can be seen";

/// The addresses that may be called, in addition to the rule that link-local and cloud metadata addresses are never
/// called. Empty, it allows all of them.
///
/// A name that an entry covers is judged by the entries for names alone. Any other name, and any address, is judged by
/// the ranges: every address that a name leads to must be in one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    hosts: Vec<Host>,
    ranges: Vec<IpNet>,
}

/// A host by what a URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    /// In lower case, without a dot at its end; of `*.example.com` the part `.example.com`.
    name: String,
    /// The only port; any when absent.
    port: Option<u16>,
}

/// An entry that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a name (`hooks.example.com`, `*.example.com`), nor an address, nor a range of addresses \
         (`10.0.0.0/8`); a name or an address may have a port"
)]
pub struct BadEntry(pub String);

impl Allowed {
    /// Reads a list with commas between its entries: names, `*.` and the end of names, addresses, ranges of addresses
    /// (CIDR); `:port` behind a name or an address allows that port alone.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn parse(list: &str) -> Result<Self, BadEntry> {
        let mut allowed = Allowed::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            allowed.add(entry).ok_or_else(|| BadEntry(entry.chars().take(100).collect()))?;
        }
        Ok(allowed)
    }

    /// Adds the host and port of a URL, unless the list is empty and allows them already. What the admin's own flags
    /// name is allowed without being listed. A text that is no URL adds nothing.
    #[must_use]
    pub fn with_url(mut self, url: &str) -> Self {
        if let Ok(url) = parse_url(url)
            && !self.is_empty()
        {
            self.hosts.push(Host { name: name_of(&url), port: url.port_or_known_default() });
        }
        self
    }

    /// Whether there is no list, so that all addresses are allowed.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.ranges.is_empty()
    }

    fn add(&mut self, entry: &str) -> Option<()> {
        if let Ok(range) = entry.parse::<IpNet>() {
            self.ranges.push(range.trunc());
            return Some(());
        }
        let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
        if let Ok(address) = bare.parse::<IpAddr>() {
            self.ranges.push(IpNet::from(address.to_canonical()));
            return Some(());
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port != 0)?)),
            None => (entry, None),
        };
        let (wild, host) = host.strip_prefix("*.").map_or((false, host), |rest| (true, rest));
        // As the client reads it: lower case, and names of other scripts in their ASCII form.
        let url = parse_url(&format!("http://{host}/"))
            .ok()
            .filter(|_| !host.contains(['/', '@', '*', '?', '#']))?;
        let name = name_of(&url);
        if wild && (name.parse::<IpAddr>().is_ok() || name.starts_with('[')) {
            return None;
        }
        let name = if wild { format!(".{name}") } else { name };
        self.hosts.push(Host { name, port });
        Some(())
    }

    /// Checks what a URL says. Names that no entry covers pass if there are ranges: what they lead to is checked when
    /// they are looked up, which does not happen if they are `proxied`.
    pub(crate) fn check(&self, url: &Url, proxied: bool) -> Result<(), CallError> {
        if self.is_empty() {
            return Ok(());
        }
        let refused = |rule| Err(CallError::Refused { address: host_and_port(url), rule });
        let (name, port) = (name_of(url), url.port_or_known_default());
        let mut covering = self.hosts.iter().filter(|host| host.covers(&name)).peekable();
        let address = literal(&name);
        if covering.peek().is_some() {
            let listed = covering.any(|host| host.port.is_none() || host.port == port);
            // An address with a port may be in a range as well.
            if listed || address.is_some_and(|address| self.contains(address)) {
                return Ok(());
            }
            return refused(UNLISTED);
        }
        match address {
            Some(address) if self.contains(address) => Ok(()),
            Some(_) => refused(UNLISTED),
            None if self.ranges.is_empty() => refused(UNLISTED),
            None if proxied => refused(UNSEEN),
            None => Ok(()),
        }
    }

    /// Whether a name may lead to an address: [`Allowed::check`] has judged the name already.
    pub(crate) fn may_lead(&self, name: &str, to: IpAddr) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.is_empty() || self.hosts.iter().any(|host| host.covers(&name)) || self.contains(to)
    }

    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.ranges.iter().any(|range| range.contains(&address))
    }
}

impl Host {
    fn covers(&self, name: &str) -> bool {
        if self.name.starts_with('.') {
            name.len() > self.name.len() && name.ends_with(&self.name)
        } else {
            name == self.name
        }
    }
}

/// The host of a URL, in lower case and without a dot at its end.
fn name_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

/// The address that a host is, if it is one.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests;
