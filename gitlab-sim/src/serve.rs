//! A simulated GitLab on a socket.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;

use crate::front::lost::{ConnectionLost, Cut};
use crate::sim::Sim;

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on the simulator's address")]
pub struct ServeError(#[source] std::io::Error);

/// A running server; it ends, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    sub_path: String,
    _stop: DropGuard,
}

impl Server {
    /// Where it listens, with the sub-path of its configured address: `http://127.0.0.1:12345/sub`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.sub_path)
    }

    /// The bound address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Sim {
    /// Listens on `address` (port 0 takes a free one) and answers HTTP/1.1 and HTTP/2 without TLS.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn serve(&self, address: &str) -> Result<Server, ServeError> {
        let listener = TcpListener::bind(address).await.map_err(ServeError)?;
        let address = listener.local_addr().map_err(ServeError)?;
        self.bind_url(&format!("http://{address}"));
        let sub_path = self.world(|world| world.sub_path().to_owned());
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, self.router(), stop.clone()));
        Ok(Server {
            address,
            sub_path,
            _stop: stop.drop_guard(),
        })
    }
}

async fn accept(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(talk(stream, router.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
    // Dropping the set aborts what still talks.
}

async fn talk(stream: TcpStream, router: Router) {
    // Small answers must not wait for one another.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move { respond(router, request.map(Body::new)).await }
    });
    let connection = auto::Builder::new(TokioExecutor::new());
    // An error is a connection cut by a fault or by the client, and the end of it either way.
    let _ = connection
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An error makes hyper close the connection (HTTP/2: reset the stream) without a byte of answer.
async fn respond(router: Router, request: Request<Body>) -> Result<Response<Body>, Cut> {
    let response: Result<Response<Body>, Infallible> = router.oneshot(request).await;
    match response {
        Ok(response) if response.extensions().get::<ConnectionLost>().is_some() => Err(Cut),
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
