//! Plain HTTP for the tests: requests by hand, so that broken and slow ones can be sent too, and a server that does as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Reads an answer to the end of its body.
pub async fn answer(socket: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let status = head.split(' ').nth(1)?.parse().ok()?;
            let answer = Answer { status, head, body: String::new() };
            let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).unwrap();
                return Some(Answer { body, ..answer });
            }
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Sends a request on a connection of its own and gives the answer.
pub async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    let length = body.len();
    let text = format!("{method} {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    socket.write_all(text.as_bytes()).await.unwrap();
    answer(&mut socket).await.expect("an answer")
}

/// A request as a server got it: its first line, its headers in small letters, its body.
pub type Got = (String, String, String);

/// A server that answers each request with what the test says, and keeps what it got.
pub struct Server {
    pub address: SocketAddr,
    pub got: Arc<Mutex<Vec<Got>>>,
    /// How many connections it has had.
    pub connections: Arc<Mutex<usize>>,
}

impl Server {
    /// `answer` gets the first line and says the whole response; an empty one closes the connection without a word, and `"wait"` never
    /// answers.
    pub async fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::<Mutex<Vec<Got>>>::default();
        let connections = Arc::<Mutex<usize>>::default();
        let (seen, answer, count) = (got.clone(), Arc::new(answer), connections.clone());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                let (seen, answer) = (seen.clone(), answer.clone());
                tokio::spawn(async move {
                    while let Some(request) = read(&mut socket).await {
                        let response = answer(&request.0);
                        seen.lock().unwrap().push(request);
                        match response.as_str() {
                            "" => return,
                            "wait" => tokio::time::sleep(Duration::from_secs(600)).await,
                            text => socket.write_all(text.as_bytes()).await.unwrap_or_default(),
                        }
                    }
                });
            }
        });
        Server { address, got, connections }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The values of a header in all requests.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let got = self.got.lock().unwrap();
        let value = |(_, head, _): &Got| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(of, _)| *of == name).map(|(_, value)| value.to_owned())
        };
        got.iter().filter_map(value).collect()
    }
}

/// A response with a body.
pub fn response(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

async fn read(socket: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let (first, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
            let headers: Vec<_> = headers
                .lines()
                .map(|line| line.split_once(':').map_or(line.into(), |(n, v)| format!("{}:{v}", n.to_lowercase())))
                .collect();
            let length =
                headers.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).unwrap();
                return Some((first.to_owned(), headers.join("\n"), body));
            }
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
