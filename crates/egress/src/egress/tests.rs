//! The transport against small servers on loopback that misbehave on purpose.

mod allowed;
mod proxy;
mod tls;

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::parse_url;

/// What a server does with each connection.
#[derive(Clone, Copy)]
enum Server {
    /// Answers this, `PORT` replaced by its own port and `HEAD` by the head of the request, and closes.
    Says(&'static str),
    /// Reads and never answers.
    Hangs,
    /// Sends the head and never the body.
    HangsInTheBody,
    /// Sends a body that never ends.
    NeverEnds,
    /// Closes before it answers.
    Closes,
    /// Speaks before it is asked.
    SpeaksFirst,
}

async fn serve(server: Server, listener: TcpListener, port: u16) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        if let Server::SpeaksFirst = server {
            stream.write_all(b"220 mail ESMTP\r\n").await?;
            continue;
        }
        let head = head(&mut stream).await?;
        match server {
            Server::Says(text) => {
                let text = text.replace("PORT", &port.to_string()).replace("HEAD", &head);
                stream.write_all(text.as_bytes()).await?;
            }
            Server::Hangs => std::future::pending().await,
            Server::HangsInTheBody => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await?;
                std::future::pending().await
            }
            Server::NeverEnds => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
                std::future::pending().await
            }
            Server::Closes | Server::SpeaksFirst => {}
        }
    }
}

/// The request's head in one line, so that a test can see what was sent.
async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut seen = Vec::new();
    while !seen.windows(4).any(|w| w == b"\r\n\r\n") {
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer).await? {
            0 => break,
            n => seen.extend_from_slice(&buffer[..n]),
        }
    }
    Ok(String::from_utf8_lossy(&seen).to_lowercase().trim().replace("\r\n", "|"))
}

/// Names of tests: one that may be called, two that resolve to forbidden addresses, and one that is unknown.
struct Names;

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let local: SocketAddr = ([127, 0, 0, 1], 0).into();
        match name {
            "good.test" => Ok(vec![local]),
            "bad.test" => Ok(vec![([169, 254, 169, 254], 0).into()]),
            "two-faced.test" => Ok(vec![local, "[::ffff:169.254.169.254]:0".parse().expect("address")]),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "name or service not known")),
        }
    }
}

fn egress() -> Egress {
    with(Rules::default())
}

fn with(rules: Rules) -> Egress {
    // Fails only when another test has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Egress::build(rules, Arc::new(Names), Matcher::builder().build(), ClientBuilder::no_proxy)
        .expect("clients")
}

/// Sends the request that `ask` makes of the server's address and returns the outcome, the port replaced by `PORT`.
async fn outcome_of(server: Server, ask: impl FnOnce(String) -> Request) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (egress, request) = (egress(), ask(format!("127.0.0.1:{port}")));
    let result = tokio::select! {
        biased;
        result = egress.call(request) => result,
        end = serve(server, listener, port) => panic!("the server ended: {end:?}"),
    };
    let outcome = match result {
        Ok(reply) if reply.truncated => format!("{} and {} bytes, cut", reply.status, reply.body.len()),
        Ok(reply) => format!("{} {}", reply.status, reply.text(1024)),
        Err(error) => error.to_string(),
    };
    outcome.replace(&port.to_string(), "PORT")
}

async fn check(server: Server, ask: impl FnOnce(String) -> Request, expect: &str) {
    assert_eq!(outcome_of(server, ask).await, expect);
}

fn get(address: &str) -> Request {
    Request::get(parse_url(&format!("http://{address}/")).expect(address))
}

fn soon(request: Request) -> Request {
    Request { deadline_ms: 100, ..request }
}

const OK: Server = Server::Says("HTTP/1.1 200 OK\r\n\r\nfine");
const MIRROR: Server = Server::Says("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nHEAD");

#[tokio::test]
async fn a_reply_comes_back_whatever_its_status() {
    check(OK, |a| get(&a), "200 fine").await;
    check(Server::Says("HTTP/1.1 204 No Content\r\n\r\n"), |a| get(&a), "204 ").await;
    check(Server::Says("HTTP/1.1 503 Busy\r\n\r\nlater"), |a| get(&a), "503 later").await;
    check(Server::Says("HTTP/1.1 404 No\r\n\r\n\u{1b}[31mred\u{202e}x\r\n"), |a| get(&a), "404 [31mred x")
        .await;
    check(Server::Says("HTTP/1.1 304 Same\r\n\r\n"), |a| get(&a), "304 ").await;
}

#[tokio::test]
async fn a_put_is_sent_as_one() {
    assert!(
        outcome_of(MIRROR, |a| Request { method: Method::Put, ..get(&a) }).await.starts_with("200 put / ")
    );
}

/// The address at which a platform gives credentials to the pod is no user's, and may be link-local.
#[tokio::test]
async fn an_address_of_the_operator_is_called_wherever_it_is() {
    let says = Server::Says("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let at = |own: bool| {
        move |a: String| {
            let url = parse_url(&format!("http://{}/", a.replace("127.0.0.1", "0.0.0.0"))).expect("url");
            Request { own, ..Request::get(url) }
        }
    };
    check(says, at(true), "200 ok").await;
    let refused = outcome_of(says, at(false)).await;
    assert!(refused.starts_with("0.0.0.0:PORT is not allowed: "), "{refused}");
}

#[tokio::test]
async fn a_server_that_misbehaves_ends_at_a_limit() {
    let late = "no answer from 127.0.0.1:PORT within 100ms";
    check(Server::Hangs, |a| soon(get(&a)), late).await;
    check(Server::HangsInTheBody, |a| soon(get(&a)), late).await;
    check(Server::HangsInTheBody, |a| Request { until: Some("bc"), ..get(&a) }, "200 abc").await;
    check(Server::HangsInTheBody, |a| soon(Request { until: Some("bcd"), ..get(&a) }), late).await;
    check(Server::NeverEnds, |a| get(&a), "answer of 127.0.0.1:PORT is larger than 1048576 bytes").await;
    check(Server::NeverEnds, |a| Request::post(get(&a).url, b"{}".to_vec()), "200 and 65536 bytes, cut")
        .await;
    let broke = "no answer from 127.0.0.1:PORT: connection closed before message completed";
    check(Server::Closes, |a| get(&a), broke).await;
    check(
        Server::Says("SSH-2.0-x\r\n\r\n"),
        |a| get(&a),
        "no answer from 127.0.0.1:PORT: invalid HTTP version parsed",
    )
    .await;
}

#[tokio::test]
async fn addresses_that_nobody_may_call_are_refused_before_the_first_byte() {
    let rule = "is not allowed: it is a link-local address";
    check(OK, |_| get("169.254.169.254"), &format!("169.254.169.254 {rule}")).await;
    check(OK, |_| get("bad.test"), &format!("bad.test (169.254.169.254) {rule}")).await;
    check(OK, |_| get("two-faced.test:1"), &format!("two-faced.test:1 (::ffff:169.254.169.254) {rule}"))
        .await;
    check(OK, |_| get("missing.test"), "no answer from missing.test: name or service not known").await;
    check(OK, |a| get(&a.replace("127.0.0.1", "good.test")), "200 fine").await;
}

#[tokio::test]
async fn redirects_are_followed_only_where_asked_and_checked_at_each_hop() {
    let elsewhere = Server::Says("HTTP/1.1 307 Go\r\nlocation: http://u:pw@169.254.169.254/keys?a=b\r\n\r\n");
    check(
        elsewhere,
        |a| Request::post(get(&a).url, Vec::new()),
        "127.0.0.1:PORT redirects to http://169.254.169.254/keys (status 307), which is not followed",
    )
    .await;
    check(
        elsewhere,
        |a| get(&a),
        "127.0.0.1:PORT redirects to http://169.254.169.254/keys (status 307), which is not followed",
    )
    .await;
    // Another name is another host, also where it leads to the same address.
    let name = Server::Says("HTTP/1.1 302 Go\r\nlocation: http://good.test:PORT/\r\n\r\n");
    check(
        name,
        |a| get(&a),
        "127.0.0.1:PORT redirects to http://good.test:PORT/ (status 302), which is not followed",
    )
    .await;
    let around = Server::Says("HTTP/1.1 301 Go\r\nconnection: close\r\nlocation: /again\r\n\r\n");
    check(
        around,
        |a| get(&a),
        "127.0.0.1:PORT redirects to http://127.0.0.1:PORT/again (status 301), which is not followed",
    )
    .await;
    let file = Server::Says("HTTP/1.1 302 Go\r\nlocation: file:///etc/passwd\r\n\r\n");
    check(
        file,
        |a| get(&a),
        "127.0.0.1:PORT redirects to file:///etc/passwd (status 302), which is not followed",
    )
    .await;
    let nowhere = Server::Says("HTTP/1.1 302 Go\r\n\r\nhere");
    check(nowhere, |a| get(&a), "302 here").await;
}

#[tokio::test]
async fn credentials_are_sent_once_and_never_told() {
    let sent = outcome_of(MIRROR, |a| get(&format!("user:pw@{a}"))).await;
    assert!(sent.contains("authorization: basic dxnlcjpwdw=="), "{sent}");
    let sent = outcome_of(MIRROR, |a| get(&format!("user:pw@{a}")).header("Authorization", "Bearer t")).await;
    assert!(sent.contains("authorization: bearer t") && !sent.contains("basic"), "{sent}");

    let marker = "MARKER";
    let ask = |a: String| get(&format!("u:{marker}@{a}")).header("x-key", marker);
    assert!(!format!("{:?}", ask("h".to_owned())).contains(marker));
    assert!(!format!("{:?}", ask("h".to_owned()).headers).contains(marker));
    for server in [Server::Closes, Server::Hangs, Server::Says("?")] {
        let outcome = outcome_of(server, |a| soon(ask(a))).await;
        assert!(outcome.starts_with("no answer from 127.0.0.1:PORT"), "{outcome}");
    }
    let outcome = outcome_of(OK, |a| get(&a).header("x-key", "MARKER\nx")).await;
    assert_eq!(outcome, "header x-key has a value that cannot be sent");
}

#[tokio::test]
async fn a_proxy_is_used_but_does_not_lift_the_policy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxy = format!("http://127.0.0.1:{port}");
    let of_test = proxy.clone();
    let proxied = move |client: ClientBuilder| client.proxy(reqwest::Proxy::all(&of_test).expect("proxy"));
    let matcher = || Matcher::builder().all(proxy.as_str()).build();
    let build = |list: &str| {
        let rules = Rules { allowed: Allowed::parse(list).expect(list), in_pod: true };
        Egress::build(rules, Arc::new(Names), matcher(), proxied.clone()).expect("clients")
    };
    let egress = build("");
    let calls = async {
        let seen = egress.call(get("only-the-proxy-knows.test")).await.expect("a reply");
        assert!(seen.text(1024).starts_with("get http://only-the-proxy-knows.test/ http/1.1"), "{seen:?}");
        for address in ["169.254.169.254", "metadata.google.internal"] {
            let refused = egress.call(get(address)).await.expect_err(address);
            assert!(matches!(refused, CallError::Refused { .. }), "{refused}");
        }
        // Where nothing else can be seen than the name, the name has to be listed; the proxy need not be.
        let egress = build("*.listed.test,127.0.0.0/8");
        assert!(egress.call(get("a.listed.test")).await.is_ok_and(|reply| !reply.private));
        for address in ["good.test", "localhost"] {
            let refused = egress.call(get(address)).await.expect_err(address).to_string();
            assert!(refused.ends_with("behind a proxy nothing else can be seen"), "{refused}");
        }
    };
    tokio::select! {
        biased;
        () = calls => {}
        end = serve(MIRROR, listener, port) => panic!("the proxy ended: {end:?}"),
    }
}

#[test]
fn addresses_that_are_no_http_urls_say_why() {
    for (text, expect) in [
        ("", "address is empty"),
        (":::", "address must begin with http:// or https://"),
        ("prometheus:9090", "scheme prometheus is not supported, only http and https are"),
        ("file:///etc/passwd", "scheme file is not supported, only http and https are"),
        ("http://", "address is not a valid URL: empty host"),
        ("http://u:MARKER@h:99999/", "address is not a valid URL: invalid port number"),
    ] {
        assert_eq!(parse_url(text).expect_err(text).to_string(), expect);
    }
    assert_eq!(shown(&parse_url("http://u:MARKER@h:1/p?token=MARKER#f").expect("url")), "http://h:1/p");
}
