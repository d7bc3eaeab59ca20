//! A proxy before a PostgreSQL server: it counts round trips, and loses replies on purpose.
//!
//! A round trip is a `Sync` message of the client (the messages' form is in PostgreSQL's manual, chapter on the
//! frontend/backend protocol): the server answers only after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// The proxy. It ends with the test's runtime.
pub struct Proxy {
    pub port: u16,
    round_trips: Arc<AtomicU64>,
    /// Statements that were given a name, to be used again.
    named: Arc<AtomicU64>,
    /// The reply of each round trip whose number this divides is lost, with its connection; 0 loses none.
    lose_every: Arc<AtomicU64>,
}

impl Proxy {
    pub async fn start(server: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let proxy = Proxy { port, round_trips: Arc::default(), named: Arc::default(), lose_every: Arc::default() };
        let (server, round_trips) = (server.to_owned(), proxy.round_trips.clone());
        let (named, lose_every) = (proxy.named.clone(), proxy.lose_every.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let (client_in, client_out) = client.into_split();
                let (server_in, server_out) = server.into_split();
                let (lose, lost) = oneshot::channel();
                tokio::spawn(ask(client_in, server_out, round_trips.clone(), named.clone(), lose_every.clone(), lose));
                tokio::spawn(answer(server_in, client_out, lost));
            }
        });
        proxy
    }

    pub fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::SeqCst)
    }

    pub fn named_statements(&self) -> u64 {
        self.named.load(Ordering::SeqCst)
    }

    pub fn lose_every(&self, number: u64) {
        self.lose_every.store(number, Ordering::SeqCst);
    }
}

/// The code of the message that asks whether the server encrypts.
const SSL_REQUEST: u32 = 80_877_103;

/// Passes on what the client says, message by message; an error ends the connection.
async fn ask(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    round_trips: Arc<AtomicU64>,
    named: Arc<AtomicU64>,
    lose_every: Arc<AtomicU64>,
    lose: oneshot::Sender<()>,
) -> std::io::Result<()> {
    let mut lose = Some(lose);
    // The first message has no type, and where it asks for encryption the one after it has none either.
    let mut started = false;
    loop {
        let mut kind = [0u8; 1];
        if started {
            client.read_exact(&mut kind).await?;
        }
        let len = client.read_u32().await?;
        let mut body = vec![0; (len as usize).saturating_sub(4)];
        client.read_exact(&mut body).await?;
        if kind[0] == b'P' && body.first().is_some_and(|first| *first != 0) {
            named.fetch_add(1, Ordering::SeqCst);
        }
        if kind[0] == b'S' {
            let number = round_trips.fetch_add(1, Ordering::SeqCst) + 1;
            let every = lose_every.load(Ordering::SeqCst);
            if every > 0
                && number.is_multiple_of(every)
                && let Some(lose) = lose.take()
            {
                let _ = lose.send(());
            }
        }
        let mut message = if started { kind.to_vec() } else { Vec::new() };
        message.extend_from_slice(&len.to_be_bytes());
        message.extend_from_slice(&body);
        server.write_all(&message).await?;
        started = started || !body.starts_with(&SSL_REQUEST.to_be_bytes());
    }
}

/// Passes on what the server says, until a reply is to be lost: then it waits for the reply and ends the connection.
async fn answer(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    mut lost: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = server.read(&mut buffer).await?;
        if read == 0 || lost.try_recv().is_ok() {
            return Ok(());
        }
        client.write_all(&buffer[..read]).await?;
    }
}
