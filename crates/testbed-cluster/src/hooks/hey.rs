//! Command lines of `hey`, the load generator of the guides.

use std::time::Duration;

use http::Method;

use super::qualified;
use crate::load::Load;

/// The most requests per second that a hook may ask for.
const MAX_RATE: u32 = 500;

/// The load that the arguments say; `None` when they name no address or a number that is none.
///
/// Read: `-z` duration, `-n` requests, `-q` requests per second of each worker, `-c` workers, `-host`, `-H`, `-m`,
/// `-d`. The defaults are those of `hey`: 200 requests, 50 workers, no rate limit (here [`MAX_RATE`]).
pub(super) fn parse(arguments: &[&str]) -> Option<Load> {
    let mut words = arguments.iter().copied();
    let (mut per_worker, mut workers, mut count, mut duration) = (0_u32, 50_u32, 200_u64, None);
    let (mut host, mut url, mut headers) = (None, None, Vec::new());
    let (mut method, mut body) = (Method::GET, "");
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            url = Some(word);
            continue;
        }
        let value = match word {
            "-h2" | "-disable-compression" | "-disable-keepalive" | "-disable-redirects" => continue,
            _ => words.next()?,
        };
        match word {
            "-q" => per_worker = value.parse().ok()?,
            "-c" => workers = value.parse().ok()?,
            "-n" => count = value.parse().ok()?,
            "-z" => duration = Some(read_duration(value)?),
            "-m" => method = value.parse().ok()?,
            "-d" => body = value,
            "-host" => host = Some(value.to_owned()),
            "-H" => headers.extend(
                value.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())),
            ),
            _ => {}
        }
    }
    let rate = match per_worker.saturating_mul(workers) {
        0 => MAX_RATE,
        rate => rate.min(MAX_RATE),
    };
    let mut load = Load::new(&qualified(url?)).per_second(rate).method(method).body(body);
    load = match duration {
        Some(duration) => load.lasting(duration),
        None => load.requests(count),
    };
    if let Some(host) = host {
        load = load.host(host);
    }
    Some(headers.into_iter().fold(load, |load, (name, value)| load.header(name, value)))
}

/// A duration such as `10m`, `1h30m` or `500ms`.
fn read_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        total += match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number * 60),
            "h" => Duration::from_secs(number * 3600),
            _ => return None,
        };
        rest = after;
    }
    Some(total)
}
