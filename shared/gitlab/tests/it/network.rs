//! HTTP/2, connections used again, certificates, proxies.

use crate::support::{Lab, PROJECT, Server, issue_json, json};
use axum::{http::Version, serve::Listener};
use mirror_core::ids::Iid;
use mirror_gitlab::{ErrorKind, Fate, HttpTransport, NewIssue, SetupError, TransportErrorKind};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{
    io::Write,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, pki_types::PrivatePkcs8KeyDer},
    server::TlsStream,
};

/// An authority of its own, and a certificate by it for one name.
struct Authority {
    pem: String,
    server: rustls::ServerConfig,
}

impl Authority {
    fn certifying(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self {
            pem: authority.pem(),
            server,
        }
    }

    async fn serve(&self) -> (Server, Arc<AtomicUsize>) {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://127.0.0.1:{}/", tcp.local_addr().unwrap().port());
        let connections = Arc::new(AtomicUsize::new(0));
        let listener = TlsListener {
            tcp,
            acceptor: TlsAcceptor::from(Arc::new(self.server.clone())),
            connections: connections.clone(),
        };
        let server = Server::on(listener, url, |seen, _| match seen.method.as_str() {
            "GET" => json(200, &issue_json(3)),
            _ => json(201, &issue_json(4)),
        });
        (server, connections)
    }

    fn file(&self) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(self.pem.as_bytes()).unwrap();
        file
    }
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    connections: Arc<AtomicUsize>,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else {
                continue;
            };
            // A client that does not trust us ends the handshake: on to the next.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                self.connections.fetch_add(1, Ordering::SeqCst);
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

#[tokio::test]
async fn with_the_ca_file_many_requests_share_one_http2_connection() {
    let authority = Authority::certifying("127.0.0.1");
    let (server, connections) = authority.serve().await;
    let file = authority.file();
    let mut lab = Lab::new();
    lab.options.ca_file = Some(file.path().to_owned());
    let client = lab.client(&server.url);

    client.issue(PROJECT, Iid(3)).await.unwrap();
    let many = (0..20).map(|_| client.issue(PROJECT, Iid(3)));
    for answer in futures_util::future::join_all(many).await {
        answer.unwrap();
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 21);
    assert!(seen.iter().all(|seen| seen.version == Version::HTTP_2));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn certificates_given_as_text_are_trusted_too() {
    let authority = Authority::certifying("127.0.0.1");
    let (server, _) = authority.serve().await;
    let mut lab = Lab::new();
    lab.options.ca = Some(authority.pem.clone());
    lab.client(&server.url)
        .issue(PROJECT, Iid(3))
        .await
        .unwrap();
    lab.options.ca = Some("no certificate".to_owned());
    assert!(matches!(
        HttpTransport::new(&lab.options),
        Err(SetupError::NoCertificateInText)
    ));
}

async fn refused(lab: &Lab, server: &Server) -> String {
    let error = lab
        .client(&server.url)
        .create_issue(PROJECT, &NewIssue::default())
        .await
        .unwrap_err();
    assert_eq!(error.fate(), Fate::NotSent);
    assert!(!error.is_transient());
    assert!(server.seen().is_empty());
    let ErrorKind::Transport(cause) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(cause.kind(), TransportErrorKind::Tls);
    cause.to_string()
}

#[tokio::test]
async fn unknown_authority_is_refused_before_a_byte_is_sent() {
    let (server, _) = Authority::certifying("127.0.0.1").serve().await;
    let told = refused(&Lab::new(), &server).await;
    assert!(told.contains("certificate"), "{told}");
    assert!(told.contains("UnknownIssuer"), "{told}");
}

#[tokio::test]
async fn certificate_of_another_host_is_refused() {
    let authority = Authority::certifying("gitlab.example");
    let (server, _) = authority.serve().await;
    let file = authority.file();
    let mut lab = Lab::new();
    lab.options.ca_file = Some(file.path().to_owned());
    let told = refused(&lab, &server).await;
    assert!(told.contains("not valid for name"), "{told}");
}

#[test]
fn what_cannot_be_used_is_told_at_the_start() {
    let mut lab = Lab::new();
    lab.options.ca_file = Some("/nonexistent/ca.pem".into());
    let missing = HttpTransport::new(&lab.options).unwrap_err();
    assert!(matches!(missing, SetupError::CaFile { .. }), "{missing}");

    let empty = tempfile::NamedTempFile::new().unwrap();
    lab.options.ca_file = Some(empty.path().to_owned());
    let empty = HttpTransport::new(&lab.options).unwrap_err();
    assert!(matches!(empty, SetupError::NoCertificate { .. }), "{empty}");

    lab.options.ca_file = None;
    lab.options.proxy = Some("http://user:pass word@[proxy".to_owned());
    let proxy = HttpTransport::new(&lab.options).unwrap_err();
    assert!(matches!(proxy, SetupError::Proxy), "{proxy}");
    assert!(!format!("{proxy} {proxy:?}").contains("pass word"));
}

#[tokio::test]
async fn proxy_is_asked_in_the_hosts_place() {
    let proxy = Server::answering(|_, _| json(200, &issue_json(3))).await;
    let mut lab = Lab::new();
    lab.options.proxy = Some(proxy.url.clone());
    let client = lab.client("http://gitlab.invalid/");
    client.issue(PROJECT, Iid(3)).await.unwrap();
    assert_eq!(proxy.seen()[0].header("host"), Some("gitlab.invalid"));
}
