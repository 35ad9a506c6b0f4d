//! Servers whose TLS is none, or whose certificate no authority has signed.

use super::*;

#[tokio::test]
async fn tls_to_a_server_that_speaks_none_is_no_panic() {
    for skip_verify in [false, true] {
        let outcome = outcome_of(Server::SpeaksFirst, |a| Request { skip_verify, ..tls(&a) }).await;
        assert!(outcome.starts_with("no answer from 127.0.0.1:PORT: "), "{outcome}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_accepted_only_on_request() {
    for (skip_verify, expect) in
        [(false, "certificate of 127.0.0.1:PORT is not trusted: UnknownIssuer"), (true, "200 over tls")]
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let egress = egress();
        let server = std::thread::spawn(move || answer_over_tls(&listener));
        let outcome = match egress.call(Request { skip_verify, ..tls(&format!("127.0.0.1:{port}")) }).await {
            Ok(reply) => format!("{} {}", reply.status, reply.text(1024)),
            Err(error) => error.to_string(),
        };
        server.join().expect("the server");
        assert_eq!(outcome.replace(&port.to_string(), "PORT"), expect);
    }
}

/// The certificate of another server does not make this one trusted, and the same one does.
#[tokio::test]
async fn certificates_of_a_user_replace_those_of_the_image() {
    let pem = include_str!("../testdata/self-signed.pem");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || answer_over_tls(&listener));
    let request = Request { ca: Some(pem.to_owned()), ..tls(&format!("127.0.0.1:{port}")) };
    let reply = egress().call(request).await;
    server.join().expect("the server");
    assert_eq!(reply.map(|reply| reply.text(1024)).map_err(|e| e.to_string()), Ok("over tls".to_owned()));
}

#[tokio::test]
async fn what_is_no_certificate_is_the_mistake_of_its_author() {
    let broken = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    for ca in ["", "x", broken] {
        let error =
            egress().call(Request { ca: Some(ca.to_owned()), ..tls("127.0.0.1:1") }).await.expect_err(ca);
        let text = error.to_string();
        assert!(text.starts_with("certificates of the authority cannot be read: "), "{text}");
        assert!(matches!(error, CallError::BadRequest { .. }));
    }
}

/// Answers one connection with a certificate that no authority has signed.
fn answer_over_tls(listener: &std::net::TcpListener) {
    use std::io::{Read, Write};
    let cert = rustls::pki_types::CertificateDer::from(&include_bytes!("../testdata/self-signed.der")[..]);
    let key =
        rustls::pki_types::PrivatePkcs8KeyDer::from(&include_bytes!("../testdata/self-signed.key.der")[..]);
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key.into())
        .expect("certificate");
    let mut connection = rustls::ServerConnection::new(Arc::new(config)).expect("connection");
    let (mut socket, _) = listener.accept().expect("a client");
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    // A client that does not trust the certificate hangs up here.
    if stream.read(&mut [0; 1024]).is_ok() {
        let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nover tls";
        stream.write_all(reply).expect("reply");
    }
}

fn tls(address: &str) -> Request {
    Request::get(parse_url(&format!("https://{address}/")).expect(address))
}
