//! Small servers on loopback, each with one way to misbehave, and a resolver of names.

use std::{io, net::SocketAddr};

use async_trait::async_trait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

/// What a server does with each connection.
#[derive(Clone, Copy)]
pub(super) enum Server {
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

pub(super) async fn serve(server: Server, listener: TcpListener, port: u16) -> io::Result<()> {
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
pub(super) struct Names;

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
