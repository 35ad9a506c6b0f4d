//! Command lines of `bash` hooks, as far as they are pipelines of `curl`, `grep`, `echo`, `true` and `false`.
//!
//! Commands are joined by `|`, `&&`, `||` and `;`. Not done: variables, substitution, redirection, any other program,
//! and options of `curl` beyond those that say which request is sent (the others are ignored).

use http::{Method, Request};

use crate::world::network::Network;

/// Runs a command line; the output, or the output and how it failed.
pub(super) async fn run(line: &str, network: &Network) -> Result<String, String> {
    let words = split(line).ok_or_else(|| exit("bash: line 1: unexpected end of file\n", 2))?;
    let mut output = String::new();
    let mut code = 0;
    let mut before = &Word::Then;
    for part in words.split_inclusive(Word::ends_pipeline) {
        let (pipeline, after) = match part.split_last() {
            Some((last, pipeline)) if last.ends_pipeline() => (pipeline, last),
            _ => (part, &Word::Then),
        };
        let runs = match before {
            Word::And => code == 0,
            Word::Or => code != 0,
            _ => true,
        };
        if runs && !pipeline.is_empty() {
            code = pipe(pipeline, network, &mut output).await;
        }
        before = after;
    }
    if code == 0 { Ok(output) } else { Err(exit(&output, code)) }
}

/// Runs a pipeline and adds its output; the exit code is that of its last command.
async fn pipe(pipeline: &[Word], network: &Network, output: &mut String) -> u8 {
    let (mut piped, mut code) = (String::new(), 0);
    for command in pipeline.split(|word| *word == Word::Pipe) {
        let arguments: Vec<&str> = command.iter().filter_map(Word::text).collect();
        (piped, code) = match program(&arguments, &piped, network).await {
            Ok(text) => (text, 0),
            Err(failure) => failure,
        };
    }
    output.push_str(&piped);
    code
}

fn exit(output: &str, code: u8) -> String {
    format!("{output}: exit status {code}")
}

async fn program(arguments: &[&str], input: &str, network: &Network) -> Result<String, (String, u8)> {
    let (name, rest) = arguments.split_first().map_or(("", arguments), |(name, rest)| (*name, rest));
    match name {
        "curl" => curl(rest, network).await,
        "grep" => grep(rest, input),
        "echo" => Ok(rest.join(" ") + "\n"),
        "true" | "" => Ok(String::new()),
        "false" => Err((String::new(), 1)),
        other => Err((format!("bash: line 1: {other}: command not found\n"), 127)),
    }
}

fn grep(arguments: &[&str], input: &str) -> Result<String, (String, u8)> {
    let (flags, words): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with('-'));
    let has = |flag: char| flags.iter().any(|word| word.contains(flag));
    let fold = |text: &str| if has('i') { text.to_lowercase() } else { text.to_owned() };
    let pattern = fold(words.first().copied().unwrap_or_default());
    let lines = input.lines().filter(|line| fold(line).contains(&pattern) != has('v'));
    let found: Vec<&str> = lines.collect();
    match (found.is_empty(), has('q')) {
        (true, _) => Err((String::new(), 1)),
        (false, true) => Ok(String::new()),
        (false, false) => Ok(found.join("\n") + "\n"),
    }
}

/// The request that a `curl` command line says.
#[derive(Debug, Default)]
struct Curl {
    method: Option<String>,
    data: Option<String>,
    headers: Vec<(String, String)>,
    url: String,
    fails: bool,
}

async fn curl(arguments: &[&str], network: &Network) -> Result<String, (String, u8)> {
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
    let url = if curl.url.contains("://") { curl.url.clone() } else { format!("http://{}", curl.url) };
    let mut request = Request::builder().method(method).uri(url);
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

/// A word of a command line, or what stands between commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Text(String),
    Pipe,
    And,
    Or,
    Then,
}

impl Word {
    fn text(&self) -> Option<&str> {
        match self {
            Word::Text(text) => Some(text),
            _ => None,
        }
    }

    fn ends_pipeline(&self) -> bool {
        matches!(self, Word::And | Word::Or | Word::Then)
    }
}

/// Splits a command line as a shell does, with quotes and backslashes; `None` when a quote is not closed.
pub(super) fn split(line: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(letter) = chars.next() {
        let end = match letter {
            '\'' | '"' => {
                let text = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        close if close == letter => break,
                        '\\' if letter == '"' => text.push(chars.next()?),
                        other => text.push(other),
                    }
                }
                continue;
            }
            '\\' => {
                word.get_or_insert_default().push(chars.next()?);
                continue;
            }
            '|' if chars.peek() == Some(&'|') => {
                chars.next();
                Some(Word::Or)
            }
            '|' => Some(Word::Pipe),
            '&' if chars.peek() == Some(&'&') => {
                chars.next();
                Some(Word::And)
            }
            ';' | '\n' => Some(Word::Then),
            blank if blank.is_whitespace() => None,
            other => {
                word.get_or_insert_default().push(other);
                continue;
            }
        };
        words.extend(word.take().map(Word::Text));
        words.extend(end);
    }
    words.extend(word.map(Word::Text));
    Some(words)
}
