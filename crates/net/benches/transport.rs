//! What encryption between two nodes takes: ours, and TLS and Noise as libp2p sets them up, over
//! TCP on the loopback interface, both ends on this machine.
//!
//! `cargo bench -p bitdust-net`.

use std::future::Future;
use std::io;

use bitdust_net::Tls;
use criterion::{Criterion, Throughput};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::core::upgrade::{InboundConnectionUpgrade as _, OutboundConnectionUpgrade as _};
use libp2p::identity::Keypair;
use libp2p::{noise, tls};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

const PIECE_BYTES: usize = 256 << 10;
const PIECES: usize = 64;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let key = &Keypair::generate_ed25519();
    let mut group = criterion.benchmark_group("transport");
    group.throughput(Throughput::Bytes((PIECE_BYTES * PIECES) as u64));
    let mut ends = runtime.block_on(sockets()).expect("two ends");
    group.bench_function("plain", |bencher| {
        bencher.iter(|| runtime.block_on(carry(&mut ends.0, &mut ends.1)));
    });
    let mut ends = both(&runtime, |ours, theirs| async move {
        let tls = Tls::new(key).map_err(io::Error::other)?;
        let (ours, theirs) = futures::try_join!(tls.clone().connect(ours), tls.accept(theirs))?;
        Ok((ours.1, theirs.1))
    });
    group.bench_function("TLS", |bencher| {
        bencher.iter(|| runtime.block_on(carry(&mut ends.0, &mut ends.1)));
    });
    let mut ends = both(&runtime, |ours, theirs| async move {
        let config = tls::Config::new(key).map_err(io::Error::other)?;
        let name = "/tls/1.0.0";
        let (ours, theirs) = futures::try_join!(
            config.clone().upgrade_outbound(ours, name),
            config.upgrade_inbound(theirs, name)
        )
        .map_err(io::Error::other)?;
        Ok((ours.1, theirs.1))
    });
    group.bench_function("TLS of libp2p", |bencher| {
        bencher.iter(|| runtime.block_on(carry(&mut ends.0, &mut ends.1)));
    });
    let mut ends = both(&runtime, |ours, theirs| async move {
        let config = noise::Config::new(key).map_err(io::Error::other)?;
        let (ours, theirs) = futures::try_join!(
            config.clone().upgrade_outbound(ours, "/noise"),
            config.upgrade_inbound(theirs, "/noise")
        )
        .map_err(io::Error::other)?;
        Ok((ours.1, theirs.1))
    });
    group.bench_function("Noise", |bencher| {
        bencher.iter(|| runtime.block_on(carry(&mut ends.0, &mut ends.1)));
    });
    group.finish();
    criterion.final_summary();
}

/// Both ends of a connection, encrypted.
fn both<S, F>(
    runtime: &Runtime,
    encrypt: impl FnOnce(Compat<TcpStream>, Compat<TcpStream>) -> F,
) -> (S, S)
where
    F: Future<Output = io::Result<(S, S)>>,
{
    let ends = runtime.block_on(async {
        let (ours, theirs) = sockets().await?;
        encrypt(ours, theirs).await
    });
    ends.expect("an encrypted connection")
}

async fn sockets() -> io::Result<(Compat<TcpStream>, Compat<TcpStream>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let ours = TcpStream::connect(listener.local_addr()?).await?;
    let (theirs, _) = listener.accept().await?;
    ours.set_nodelay(true)?;
    theirs.set_nodelay(true)?;
    Ok((ours.compat(), theirs.compat()))
}

/// Carries pieces from one end to the other, at once.
async fn carry(
    ours: &mut (impl AsyncWrite + Unpin),
    theirs: &mut (impl AsyncRead + Unpin),
) -> io::Result<()> {
    let send = async {
        let piece = vec![7; PIECE_BYTES];
        for _ in 0..PIECES {
            ours.write_all(&piece).await?;
        }
        ours.flush().await
    };
    let receive = async {
        let mut piece = vec![0; PIECE_BYTES];
        for _ in 0..PIECES {
            theirs.read_exact(&mut piece).await?;
        }
        Ok(())
    };
    futures::try_join!(send, receive).map(drop)
}
