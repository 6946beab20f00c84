//! The network: HTTP/1.1 and HTTP/2 (by ALPN) over connections that are used again.

use super::{
    Incoming, Outgoing, Transport, TransportError, TransportErrorKind, body::Sized, error::chain,
};
use crate::Options;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::BodyDataStream;
use mirror_core::ports::BoxFuture;
use std::{path::PathBuf, time::Duration};
use thiserror::Error;

/// Shorter than the 60 to 75 s after which the usual proxies close an idle connection: a request
/// sent into a connection that is just being closed has an unknown outcome.
const IDLE: Duration = Duration::from_secs(30);

/// The network.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
}

/// Why the network cannot be used as configured.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The file of trusted certificates cannot be read.
    #[error("cannot read the CA file {path}")]
    CaFile {
        /// The configured path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of trusted certificates holds none.
    #[error("the CA file {path} holds no PEM certificate")]
    NoCertificate {
        /// The configured path.
        path: PathBuf,
    },
    /// The trusted certificates given as text hold none.
    #[error("the given CA text holds no PEM certificate")]
    NoCertificateInText,
    /// The proxy's address is no URL; it may hold a password, so it is not shown.
    #[error("the proxy's address is not a URL")]
    Proxy,
    /// TLS or the connector could not be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] reqwest::Error),
}

impl HttpTransport {
    /// Sets up TLS, proxy and the pool of connections; connects to nothing yet.
    pub fn new(options: &Options) -> Result<Self, SetupError> {
        // Somebody else in the process may have installed it before: it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true);
        if let Some(path) = &options.ca_file {
            builder = builder.tls_certs_merge(certificates(path)?);
        }
        if let Some(text) = &options.ca {
            let found = in_pem(text.as_bytes()).ok_or(SetupError::NoCertificateInText)?;
            builder = builder.tls_certs_merge(found);
        }
        if let Some(proxy) = &options.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| SetupError::Proxy)?);
        }
        let client = builder.build().map_err(SetupError::Tls)?;
        Ok(Self { client })
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<reqwest::Certificate>, SetupError> {
    let pem = std::fs::read(path).map_err(|source| SetupError::CaFile {
        path: path.clone(),
        source,
    })?;
    in_pem(&pem).ok_or_else(|| SetupError::NoCertificate { path: path.clone() })
}

/// The certificates, if there are any.
fn in_pem(pem: &[u8]) -> Option<Vec<reqwest::Certificate>> {
    let found = reqwest::Certificate::from_pem_bundle(pem).ok()?;
    (!found.is_empty()).then_some(found)
}

impl Transport for HttpTransport {
    fn send<'a>(
        &'a self,
        request: http::Request<Outgoing>,
    ) -> BoxFuture<'a, Result<http::Response<Incoming>, TransportError>> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request.map(body))
                .map_err(|error| explain(error, TransportErrorKind::CouldNotConnect))?;
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the transport under the one send()"
            )]
            let response = self
                .client
                .execute(request)
                .await
                .map_err(|error| explain(error, TransportErrorKind::Interrupted))?;
            Ok(http::Response::<reqwest::Body>::from(response).map(|body| {
                BodyDataStream::new(body)
                    .map_err(|error| explain(error, TransportErrorKind::Interrupted))
                    .boxed()
            }))
        })
    }
}

fn body(outgoing: Outgoing) -> reqwest::Body {
    match outgoing {
        Outgoing::Empty => reqwest::Body::default(),
        Outgoing::Bytes(bytes) => bytes.into(),
        Outgoing::Stream { stream, length } => reqwest::Body::wrap(Sized::new(stream, length)),
    }
}

/// What the library's error means; its own text would repeat the URL, query included.
fn explain(error: reqwest::Error, otherwise: TransportErrorKind) -> TransportError {
    let error = error.without_url();
    let kind = if chain(&error).any(<dyn std::error::Error>::is::<rustls::Error>) {
        TransportErrorKind::Tls
    } else if error.is_connect() {
        TransportErrorKind::CouldNotConnect
    } else if error.is_timeout() {
        TransportErrorKind::TimedOut
    } else {
        otherwise
    };
    TransportError::caused_by(kind, &error)
}
