//! Peers that misbehave, over real sockets. Every test waits for what must come, and for nothing else.

use axum::{
    Router,
    extract::Request,
    routing::{get, post},
};
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    sync::{Notify, oneshot},
    time::timeout,
};

use super::*;

/// Long enough for any machine; nothing lasts that long.
const LONG: Duration = Duration::from_secs(60);

const PATIENT: Limits = Limits {
    connections: 512,
    per_peer: 512,
    head_ms: 60_000,
    stalled_ms: 60_000,
    head_bytes: 8 << 10,
    body_bytes: 10,
};

/// What is served: `/` says OK, `/body` counts what it is sent, `/flood` sends more than any buffer holds.
fn router() -> Router {
    let count = async |request: Request| match request.into_body().collect().await {
        Ok(body) => format!("{} bytes", body.to_bytes().len()),
        Err(error) => error.to_string(),
    };
    Router::new()
        .route("/", get(async || "OK"))
        .route("/body", post(count))
        .route("/flood", get(async || vec![b'x'; 64 << 20]))
}

/// Serves while the test runs.
async fn serving<T>(limits: Limits, test: impl AsyncFnOnce(u16) -> T) -> T {
    let listener = Listener::bind(0).unwrap();
    let port = listener.port().unwrap();
    tokio::select! {
        biased;
        result = timeout(LONG, test(port)) => result.unwrap(),
        () = listener.serve(router(), limits, std::future::pending()) => unreachable!(),
    }
}

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap()
}

/// Sends a text and reads to the end of the connection, however it ends.
async fn all_of(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = Vec::new();
    let _refused = stream.write_all(text.as_bytes()).await;
    let _reset = stream.read_to_end(&mut seen).await;
    String::from_utf8_lossy(&seen).into_owned()
}

/// Sends a text and reads one answer whose body is `OK`.
async fn ok(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\nOK") {
        assert!(stream.read_buf(&mut seen).await.unwrap() > 0, "{seen:?}");
    }
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn both_families_are_answered_on_one_port() {
    serving(PATIENT, async |port| {
        for address in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
            let mut stream = TcpStream::connect((address, port)).await.unwrap();
            assert!(all_of(&mut stream, LAST).await.ends_with("\r\n\r\nOK"), "{address}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let first = Listener::bind(0).unwrap();
    let error = Listener::bind(first.port().unwrap()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

/// Whatever a peer has sent, if it is no whole request the connection ends.
#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let hasty = Limits { head_ms: 50, ..PATIENT };
    serving(hasty, async |port| {
        for start in ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: x\r\nx: "] {
            let reply = all_of(&mut connect(port).await, start).await;
            assert!(!reply.contains("OK"), "{start:?}: {reply}");
        }
    })
    .await;
}

/// A head that comes byte by byte has no more time than one that does not come.
#[tokio::test]
async fn a_slow_head_is_not_waited_for() {
    let hasty = Limits { head_ms: 50, ..PATIENT };
    serving(hasty, async |port| {
        let (mut reads, mut writes) = connect(port).await.into_split();
        let drip = async {
            let _written = writes.write_all(b"GET / HTTP/1.1\r\nx: ").await;
            while writes.write_all(b"y").await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let closed = async {
            let mut seen = Vec::new();
            let _reset = reads.read_to_end(&mut seen).await;
        };
        futures::join!(drip, closed);
    })
    .await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let hasty = Limits { head_ms: 1_000, ..PATIENT };
    serving(hasty, async |port| {
        let mut stream = connect(port).await;
        ok(&mut stream, GET).await;
        assert_eq!(all_of(&mut stream, "").await, "");
    })
    .await;
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let limits = Limits { per_peer: 2, ..PATIENT };
    serving(limits, async |port| {
        let (mut first, mut second) = (connect(port).await, connect(port).await);
        ok(&mut first, GET).await;
        ok(&mut second, GET).await;
        assert_eq!(all_of(&mut connect(port).await, GET).await, "");
        // Another address is served.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
        let mut other = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.unwrap();
        ok(&mut other, GET).await;
        // And so is the first one when it has let go of a connection.
        assert!(all_of(&mut first, LAST).await.ends_with("OK"));
        drop(first);
        while !all_of(&mut connect(port).await, LAST).await.ends_with("OK") {}
        ok(&mut second, GET).await;
    })
    .await;
}

#[tokio::test]
async fn beyond_the_limit_connections_wait_for_their_turn() {
    let limits = Limits { connections: 1, ..PATIENT };
    serving(limits, async |port| {
        let mut first = connect(port).await;
        ok(&mut first, GET).await;
        let mut second = connect(port).await;
        second.write_all(LAST.as_bytes()).await.unwrap();
        // The first one still has its answers.
        ok(&mut first, GET).await;
        drop(first);
        assert!(all_of(&mut second, "").await.ends_with("OK"));
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_never_reads_is_left() {
    let limits = Limits { connections: 1, stalled_ms: 100, ..PATIENT };
    serving(limits, async |port| {
        let mut first = connect(port).await;
        first.write_all(b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        // It holds the only place until then.
        assert!(all_of(&mut connect(port).await, LAST).await.ends_with("OK"));
        drop(first);
    })
    .await;
}

#[tokio::test]
async fn requests_have_a_largest_size() {
    serving(PATIENT, async |port| {
        let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(20_000));
        let reply = all_of(&mut connect(port).await, &long).await;
        assert!(reply.starts_with("HTTP/1.1 431 ") || reply.is_empty(), "{reply}");
        for (length, expect) in [(10, "10 bytes"), (11, "length limit exceeded")] {
            let head = format!(
                "POST /body HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
            );
            let reply = all_of(&mut connect(port).await, &format!("{head}{}", "y".repeat(length))).await;
            assert!(reply.ends_with(expect), "{reply}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_stop_answers_what_was_asked_and_ends_the_rest() {
    let listener = Listener::bind(0).unwrap();
    let port = listener.port().unwrap();
    let (asked, go) = (std::sync::Arc::new(Notify::new()), std::sync::Arc::new(Notify::new()));
    let slow = {
        let (asked, go) = (asked.clone(), go.clone());
        get(move || async move {
            asked.notify_one();
            go.notified().await;
            "slow"
        })
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let server = listener.serve(router().route("/slow", slow), PATIENT, async {
        let _stop = stopped.await;
    });
    let client = async {
        let (mut idle, mut silent, mut busy) =
            (connect(port).await, connect(port).await, connect(port).await);
        ok(&mut idle, GET).await;
        silent.write_all(b"GET").await.unwrap();
        busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        asked.notified().await;
        stop.send(()).unwrap();
        assert_eq!(all_of(&mut idle, "").await, "");
        drop(silent);
        go.notify_one();
        assert!(all_of(&mut busy, "").await.ends_with("slow"));
    };
    timeout(LONG, async { futures::join!(server, client) }).await.unwrap();
}
