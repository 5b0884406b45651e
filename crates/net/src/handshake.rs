//! The handshake at the beginning of every stream: both sides send a challenge, the opener
//! says Hello, the acceptor answers with its own. From then on both know with whom they speak.

use bitdust_crypto::random;
use bitdust_model::DeviceId;
use bitdust_model::message::{Body, Challenge, Hello};
use futures::{AsyncRead, AsyncWrite};

use crate::error::NetError;
use crate::local::Local;
use crate::reply::refused;
use crate::session::{Greeting, Session};
use crate::wire;

impl Local {
    /// Says Hello on a stream that this side opened.
    pub(crate) async fn say_hello<S>(
        &self,
        stream: &mut S,
        peer: DeviceId,
        addresses: Vec<String>,
    ) -> Result<(Session, Greeting), NetError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut session = self.begin(stream, peer).await?;
        self.send(stream, &mut session, self.hello(addresses))
            .await?;
        let answer = wire::read_packet(stream).await?;
        if let Some(refusal) = session.incoming.refusal_instead_of_hello(&answer) {
            return Err(NetError::Refused { refusal });
        }
        match session.incoming.open_hello(&answer, &self.network) {
            Ok(greeting) => Ok((session, greeting)),
            Err(reason) => Err(NetError::NotBelieved {
                device: peer,
                reason,
            }),
        }
    }

    /// Answers the Hello on a stream that the peer opened, or refuses it.
    pub(crate) async fn answer_hello<S>(
        &self,
        stream: &mut S,
        peer: DeviceId,
        addresses: Vec<String>,
    ) -> Result<(Session, Greeting), NetError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut session = self.begin(stream, peer).await?;
        let hello = wire::read_packet(stream).await?;
        match session.incoming.open_hello(&hello, &self.network) {
            Ok(greeting) => {
                self.send(stream, &mut session, self.hello(addresses))
                    .await?;
                Ok((session, greeting))
            }
            Err(reason) => {
                // The connection is closed next; the reason is a courtesy that may get lost.
                drop(
                    self.send(stream, &mut session, refused(reason.code()))
                        .await,
                );
                Err(NetError::NotBelieved {
                    device: peer,
                    reason,
                })
            }
        }
    }

    /// Signs and sends the next packet of the session.
    pub(crate) async fn send<S: AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        session: &mut Session,
        body: Body,
    ) -> Result<(), NetError> {
        let packet = self.seal(&mut session.outgoing, body)?;
        wire::write_packet(stream, &packet).await
    }

    async fn begin<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        peer: DeviceId,
    ) -> Result<Session, NetError> {
        let mine: Challenge = random();
        let theirs = wire::exchange_challenges(stream, &mine).await?;
        Ok(Session::new(self.device, peer, mine, theirs))
    }

    fn hello(&self, addresses: Vec<String>) -> Body {
        Body::Hello(Hello {
            certificate: Some(self.certificate.clone()),
            network: self.network.clone(),
            addresses,
        })
    }
}
