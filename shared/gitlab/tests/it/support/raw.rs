use std::{collections::VecDeque, sync::Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// What happens to one connection, once its request has been read.
#[derive(Clone)]
pub(crate) enum Raw {
    /// These bytes, then the end.
    Close(String),
    /// These bytes, then nothing, for ever.
    Hang(String),
}

/// A server that breaks the rules of HTTP, one connection after the other; it ends when dropped.
pub(crate) struct RawServer {
    pub(crate) url: String,
    connections: watch::Receiver<usize>,
    task: AbortHandle,
}

impl RawServer {
    pub(crate) async fn doing(doings: impl IntoIterator<Item = Raw>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let doings: Mutex<VecDeque<Raw>> = Mutex::new(doings.into_iter().collect());
        let (count, connections) = watch::channel(0);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let doing = doings.lock().unwrap().pop_front();
                tokio::spawn(serve(stream, doing.unwrap_or(Raw::Close(String::new()))));
            }
        });
        Self {
            url,
            connections,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.borrow()
    }

    /// Waits until so many connections were made.
    pub(crate) async fn connected(&self, count: usize) {
        let mut connections = self.connections.clone();
        connections.wait_for(|made| *made >= count).await.unwrap();
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, doing: Raw) {
    read_request(&mut stream).await;
    match doing {
        Raw::Close(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Raw::Hang(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            std::future::pending::<()>().await;
        }
    }
}

/// Head and body, so that the end of the connection is an end and no reset.
async fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}
