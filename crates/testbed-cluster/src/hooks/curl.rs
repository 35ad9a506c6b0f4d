//! `curl`: the request that a command line says, and its answer.

use http::{Method, Request};

use super::command::Outcome;
use super::qualified;
use crate::network::Network;

/// The request that a `curl` command line says.
#[derive(Debug, Default)]
struct Curl {
    method: Option<String>,
    data: Option<String>,
    headers: Vec<(String, String)>,
    url: String,
    fails: bool,
}

/// Sends the request of a command line.
pub(super) async fn run(arguments: &[&str], network: &Network) -> Outcome {
    let curl = read(arguments);
    let request = request(&curl).ok_or((String::new(), 3))?;
    let response = network.send(request).await.map_err(|error| (format!("curl: (7) {error}\n"), 7))?;
    if curl.fails && response.status().as_u16() >= 400 {
        return Err((
            format!("curl: (22) The requested URL returned error: {}\n", response.status().as_u16()),
            22,
        ));
    }
    Ok(String::from_utf8_lossy(response.body()).into_owned())
}

fn request(curl: &Curl) -> Option<Request<bytes::Bytes>> {
    let posts = if curl.data.is_some() { Method::POST } else { Method::GET };
    let method = curl.method.as_ref().map_or(Some(posts), |method| method.parse().ok())?;
    let mut request = Request::builder().method(method).uri(qualified(&curl.url));
    for (name, value) in &curl.headers {
        request = request.header(name, value);
    }
    request.body(curl.data.clone().unwrap_or_default().into()).ok()
}

/// Reads short options, also joined ones whose last takes a value (`-sd 'test'`), and some long ones.
fn read(arguments: &[&str]) -> Curl {
    let mut curl = Curl::default();
    let mut words = arguments.iter().copied();
    while let Some(word) = words.next() {
        let option = match word {
            "--data" | "--data-raw" => 'd',
            "--header" => 'H',
            "--request" => 'X',
            "--fail" => 'f',
            "--max-time" | "--connect-timeout" | "--retry" | "--output" => 'm',
            _ if word.starts_with("--") => continue,
            _ if word.len() > 1 && word.starts_with('-') => {
                curl.fails |= word.contains('f');
                word.chars().last().unwrap_or_default()
            }
            url => {
                curl.url = url.to_owned();
                continue;
            }
        };
        match option {
            'd' => curl.data = words.next().map(str::to_owned),
            'X' => curl.method = words.next().map(str::to_owned),
            'H' => {
                let header = words.next().and_then(|header| header.split_once(':'));
                curl.headers
                    .extend(header.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
            }
            'f' => curl.fails = true,
            // Options with a value that says nothing about the request.
            'm' | 'o' | 'w' | 'A' | 'u' => drop(words.next()),
            _ => {}
        }
    }
    curl
}
