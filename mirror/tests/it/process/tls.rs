//! TLS before a simulator, with a certificate of an authority that nobody knows.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{io::Write, net::SocketAddr, path::Path, sync::Arc};
use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, pki_types::PrivatePkcs8KeyDer},
};

/// Takes TLS off and hands the rest on; ends with the test's runtime.
pub(super) struct Front {
    pub(super) address: SocketAddr,
    authority: NamedTempFile,
}

impl Front {
    pub(super) async fn before(behind: SocketAddr) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(acceptor.clone(), stream, behind));
            }
        });
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(authority.pem().as_bytes()).unwrap();
        Self {
            address,
            authority: file,
        }
    }

    /// The authority's certificate.
    pub(super) fn ca_file(&self) -> &Path {
        self.authority.path()
    }
}

/// A client that does not trust us ends the handshake, and that is the end of it.
async fn pass(acceptor: TlsAcceptor, stream: TcpStream, behind: SocketAddr) {
    if let Ok(mut outside) = acceptor.accept(stream).await
        && let Ok(mut inside) = TcpStream::connect(behind).await
    {
        let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
    }
}
