use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, Response, Version, header},
    response::IntoResponse,
    serve::Listener,
};
use std::sync::{Arc, Mutex};
use tokio::{net::TcpListener, task::AbortHandle};

/// A request as a server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With the query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) version: Version,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server on a free port that answers as a function says, which gets the request and how many
/// there were before; it ends when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: AbortHandle,
}

impl Server {
    pub(crate) async fn answering<A>(answer: A) -> Self
    where
        A: Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        Self::on(listener, url, answer)
    }

    pub(crate) fn on<L: Listener<Addr: std::fmt::Debug>, A>(
        listener: L,
        url: String,
        answer: A,
    ) -> Self
    where
        A: Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static,
    {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let log = seen.clone();
        let answer = Arc::new(answer);
        let router = axum::Router::new().fallback(move |request: Request<Body>| {
            let (log, answer) = (log.clone(), answer.clone());
            async move {
                let (parts, body) = request.into_parts();
                let seen = Seen {
                    method: parts.method.to_string(),
                    target: parts.uri.path_and_query().unwrap().to_string(),
                    headers: parts.headers,
                    version: parts.version,
                    body: to_bytes(body, usize::MAX)
                        .await
                        .unwrap_or_default()
                        .to_vec(),
                };
                let before = {
                    let mut log = log.lock().unwrap();
                    log.push(seen.clone());
                    log.len() - 1
                };
                answer(&seen, before)
            }
        });
        let task = tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            seen,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.target).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn json(code: u16, body: &str) -> Response<Body> {
    typed(code, "application/json", body)
}

pub(crate) fn html(code: u16, body: &str) -> Response<Body> {
    typed(code, "text/html; charset=utf-8", body)
}

pub(crate) fn status(code: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = typed(code, "text/plain", body);
    for (name, value) in headers {
        let name: header::HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn typed(code: u16, kind: &str, body: &str) -> Response<Body> {
    let code = axum::http::StatusCode::from_u16(code).unwrap();
    (code, [(header::CONTENT_TYPE, kind)], body.to_owned()).into_response()
}
