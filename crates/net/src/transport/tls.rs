//! TLS 1.3 as libp2p specifies it, with the ciphers in the order of this machine's speed.
//!
//! The certificates, and with them the proof of who the peer is, are those of `libp2p-tls`;
//! so are the bytes on the wire, and peers with its own upgrade are understood. What differs:
//! AES-GCM comes first where the processor has instructions for it (libp2p puts ChaCha20 first;
//! `benches/transport.rs` has both), no session is resumed, and no key is ever logged.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use futures::{AsyncRead, AsyncWrite};
use futures_rustls::rustls::client::Resumption;
use futures_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use futures_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use futures_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use futures_rustls::rustls::{
    CertificateError, CipherSuite, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    ServerConfig, SignatureScheme, version,
};
use futures_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use libp2p::PeerId;
use libp2p::identity::Keypair;
use libp2p::tls::{self, certificate};

use crate::error::NetError;

/// What both ends say they speak inside of TLS.
const ALPN: &[u8] = b"libp2p";

/// Both ends of TLS, for connections of this crate and for measures of it. Cloning is cheap.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl Tls {
    /// Makes a certificate for the key and settles the ciphers.
    ///
    /// # Errors
    /// If the certificate or the settings are refused.
    pub fn new(keypair: &Keypair) -> Result<Self, NetError> {
        let provider = Arc::new(provider());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&version::TLS13])
            .map_err(setup)?
            .with_client_cert_verifier(Arc::new(Verifier))
            .with_cert_resolver(
                tls::make_server_config(keypair)
                    .map_err(setup)?
                    .cert_resolver,
            );
        server.alpn_protocols = vec![ALPN.to_vec()];
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .map_err(setup)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier))
            .with_client_cert_resolver(
                tls::make_client_config(keypair, None)
                    .map_err(setup)?
                    .client_auth_cert_resolver,
            );
        client.alpn_protocols = vec![ALPN.to_vec()];
        client.resumption = Resumption::disabled();
        Ok(Self {
            acceptor: Arc::new(server).into(),
            connector: Arc::new(client).into(),
        })
    }

    /// The end that was dialed.
    ///
    /// # Errors
    /// If the handshake fails, or the peer cannot prove who it is.
    pub async fn accept<C>(self, socket: C) -> io::Result<(PeerId, TlsStream<C>)>
    where
        C: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = self.acceptor.accept(socket).await?;
        known(stream.into())
    }

    /// The end that dials. Who answered is for the caller to compare.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub async fn connect<C>(self, socket: C) -> io::Result<(PeerId, TlsStream<C>)>
    where
        C: AsyncRead + AsyncWrite + Unpin,
    {
        // Nobody has a name here; an address as the name keeps the extension out.
        let name = ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into());
        let stream = self.connector.connect(name, socket).await?;
        known(stream.into())
    }
}

fn setup(error: impl fmt::Display) -> NetError {
    NetError::Setup {
        reason: error.to_string(),
    }
}

/// Who stands at the other end, by the certificate that the handshake has verified.
fn known<C>(stream: TlsStream<C>) -> io::Result<(PeerId, TlsStream<C>)> {
    let (_, state) = stream.get_ref();
    let peer = match state.peer_certificates() {
        Some([certificate]) => certificate::parse(certificate)
            .map_err(io::Error::other)?
            .peer_id(),
        Some(_) | None => return Err(io::Error::other("the peer has not one certificate")),
    };
    Ok((peer, stream))
}

/// The suites of TLS 1.3, the fastest of this machine first.
///
/// Keys are agreed on by AWS-LC, which has the exchange that withstands quantum computers; records
/// are sealed by ring, whose AES-GCM is the faster (`docs/BENCH.md`).
fn provider() -> CryptoProvider {
    let mut provider = CryptoProvider {
        cipher_suites: ring::ALL_CIPHER_SUITES.to_vec(),
        ..aws_lc_rs::default_provider()
    };
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_some());
    let is_second_choice = |suite: CipherSuite| {
        (suite == CipherSuite::TLS13_CHACHA20_POLY1305_SHA256) == has_fast_aes()
    };
    provider
        .cipher_suites
        .sort_by_key(|suite| is_second_choice(suite.suite()));
    provider
}

/// Whether the processor has instructions for AES.
fn has_fast_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    false
}

/// Takes any certificate that proves, by libp2p's extension, which identity made it. Whether that
/// identity is the wanted one is decided above.
#[derive(Debug)]
struct Verifier;

impl Verifier {
    fn certificate(leaf: &CertificateDer<'_>, chain: &[CertificateDer<'_>]) -> Result<(), Error> {
        if !chain.is_empty() {
            return Err(Error::General("a peer has one certificate".to_owned()));
        }
        certificate::parse(leaf).map(drop).map_err(|_| {
            Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
        })
    }

    fn signature(
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let bad = Error::InvalidCertificate(CertificateError::BadSignature);
        let Ok(certificate) = certificate::parse(leaf) else {
            return Err(bad);
        };
        match certificate.verify_signature(signed.scheme, message, signed.signature()) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(_) => Err(bad),
        }
    }

    fn schemes() -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ED25519,
        ]
    }

    fn too_old() -> Error {
        Error::General("only TLS 1.3 is spoken".to_owned())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Self::certificate(leaf, chain).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Self::too_old())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Self::schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Self::certificate(leaf, chain).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Self::too_old())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Self::schemes()
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::future::join;
    use futures::{AsyncReadExt, AsyncWriteExt};
    use futures_rustls::rustls::ProtocolVersion;
    use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade};
    use tokio_util::compat::TokioAsyncReadCompatExt;

    use super::*;

    #[test]
    fn both_ends_know_each_other_and_take_the_fast_cipher() {
        let (alice, bob) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        let (here, there) = tokio::io::duplex(4096);
        let dialing = Tls::new(&alice).expect("set up").connect(here.compat());
        let listening = Tls::new(&bob).expect("set up").accept(there.compat());
        let (dialed, listened) = block_on(join(dialing, listening));
        let (bob_seen, mut to_bob) = dialed.expect("connected");
        let (alice_seen, mut to_alice) = listened.expect("accepted");
        assert_eq!(bob_seen, bob.public().to_peer_id());
        assert_eq!(alice_seen, alice.public().to_peer_id());
        let (_, state) = to_bob.get_ref();
        assert_eq!(state.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        let suite = state.negotiated_cipher_suite().expect("agreed").suite();
        let is_chacha = suite == CipherSuite::TLS13_CHACHA20_POLY1305_SHA256;
        assert_eq!(is_chacha, !has_fast_aes());
        let mut heard = [0; 5];
        let said = async {
            to_bob.write_all(b"hello").await?;
            to_bob.flush().await
        };
        let (said, heard_it) = block_on(join(said, to_alice.read_exact(&mut heard)));
        said.and(heard_it).expect("carried");
        assert_eq!(&heard, b"hello");
    }

    #[test]
    fn libp2ps_own_upgrade_is_understood_at_either_end() {
        let (ours, theirs) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        let stock = || tls::Config::new(&theirs).expect("set up");
        let (here, there) = tokio::io::duplex(4096);
        let dialing = Tls::new(&ours).expect("set up").connect(here.compat());
        let listening = stock().upgrade_inbound(there.compat(), "");
        let (dialed, listened) = block_on(join(dialing, listening));
        assert_eq!(dialed.expect("connected").0, theirs.public().to_peer_id());
        assert_eq!(listened.expect("accepted").0, ours.public().to_peer_id());
        let (here, there) = tokio::io::duplex(4096);
        let listening = Tls::new(&ours).expect("set up").accept(here.compat());
        let dialing = stock().upgrade_outbound(there.compat(), "");
        let (listened, dialed) = block_on(join(listening, dialing));
        assert_eq!(listened.expect("accepted").0, theirs.public().to_peer_id());
        assert_eq!(dialed.expect("connected").0, ours.public().to_peer_id());
    }

    #[test]
    fn who_shows_no_proof_of_an_identity_is_refused() {
        let keypair = Keypair::generate_ed25519();
        let (here, there) = tokio::io::duplex(4096);
        let client = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(&[&version::TLS13])
            .expect("TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier))
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(client));
        let name = ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into());
        let nobody = async {
            let mut stream = connector.connect(name, here.compat()).await?;
            stream.read_exact(&mut [0]).await
        };
        let listening = Tls::new(&keypair).expect("set up").accept(there.compat());
        let (nobody, listened) = block_on(join(nobody, listening));
        assert!(listened.is_err());
        assert!(nobody.is_err());
    }
}
