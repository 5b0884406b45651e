//! What no program of this design can leave out, measured on this machine: the processor time
//! of each step by itself, for each byte of source data at code 3/6, beside that of a whole
//! first backup.
//!
//! Each step does its work on data at hand, as the libraries do it, and nothing else. Costs
//! are of all threads and of the kernel, the least of some rounds.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bitdust_crypto::{EpochSecrets, PackCipher, Phrase, RootSecrets, ShardMask};
use bitdust_e2e_tests::{Random, World};
use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, Epoch, PackId, Position, SetId, limits};
use bitdust_net::Tls;
use bitdust_pipeline::compress::compress_into;
use bitdust_pipeline::{Chunker, Cutter, erasure, shard};
use futures::io::BufReader;
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::identity::Keypair;
use rustix::fs::OFlags;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::TokioAsyncReadCompatExt as _;

use crate::corpora::CorpusName;
use crate::report::{Bar, Figure, ONE_PEER, Report, Row};
use crate::{Choice, jobs, tree};

const MIB: usize = 1 << 20;
/// Data that each step works on, and how often in a round.
const DATA_BYTES: usize = 64 * MIB;
const REPEATS: usize = 8;
const ROUNDS: usize = 3;
const CHUNK_BYTES: usize = MIB;
const PACK_BYTES: usize = 16 * MIB;
/// A third of a pack, in whole steps of 64 KiB.
const SHARD_BYTES: usize = 5_636_096;
const PIECE_BYTES: usize = 256 << 10;
/// What is written at once.
const WRITE_BYTES: usize = MIB;
/// Bytes of shards for each byte of source data.
const SPREAD: f64 = 2.0;
const UNIT: &str = "ns / byte of source";

/// A step, and how many bytes it works on for each byte of source data.
struct Step {
    name: &'static str,
    nanoseconds: f64,
    times: f64,
}

pub(crate) fn measure(choice: &Choice) -> Result<Report> {
    let world = World::new("bench-roofline")?;
    let mut data = vec![0; DATA_BYTES];
    Random::new(8).fill(&mut data);
    let secrets = secrets()?;
    let steps = steps(world.folder(), &data, &secrets)?;
    let mask = step("mask of the format, not in the sum", SPREAD, || {
        mask(&secrets, &data)
    })?;
    let corpus = CorpusName::Incompressible.make(world.folder())?;
    let mut whole = Vec::new();
    for _ in 0..choice.rounds {
        let taken = jobs::first_backup(&corpus)?;
        whole.push((taken.processor + taken.suppliers) * 1e9 / corpus.bytes as f64);
    }
    let sum: f64 = steps.iter().map(Step::share).sum();
    let mut rows: Vec<Row> = steps.iter().chain([&mask]).map(Step::row).collect();
    rows.push(Row::new("sum: the roofline", UNIT, Figure::one(sum)));
    rows.push(
        Row::new(
            "whole processor time of a first backup, customer and suppliers (peer: the roofline)",
            UNIT,
            Figure::of(&whole),
        )
        .beside(Figure::one(sum))
        .against(Bar::TimesPeer(1.6)),
    );
    Ok(Report {
        peers: ONE_PEER,
        title: "Roofline: the least processor time of a backup at 3/6",
        rows,
    })
}

impl Step {
    fn share(&self) -> f64 {
        self.nanoseconds * self.times
    }

    fn row(&self) -> Row {
        let what = format!("{} (× {})", self.name, self.times);
        Row::new(what, UNIT, Figure::one(self.share()))
    }
}

fn steps(folder: &Path, data: &[u8], secrets: &EpochSecrets) -> Result<Vec<Step>> {
    let file = folder.join("cached");
    fs::write(&file, data)?;
    let mut cutter = Cutter::new(Chunker::new(secrets.gear_seed()));
    let (mut packed, mut pack, mut parity) = (Vec::new(), Vec::new(), Vec::new());
    let code = Code::new(3, 6)?;
    Ok(vec![
        step("read from the page cache", 1.0, || read(&file))?,
        step("cut", 1.0, || {
            let mut chunks = cutter.chunks(data);
            while let Some(chunk) = chunks.next_chunk()? {
                std::hint::black_box(chunk);
            }
            Ok(())
        })?,
        step("hash chunks", 1.0, || {
            for chunk in data.chunks(CHUNK_BYTES) {
                std::hint::black_box(secrets.chunk_id(chunk));
            }
            Ok(())
        })?,
        step("compress", 1.0, || {
            for chunk in data.chunks(CHUNK_BYTES) {
                packed.clear();
                std::hint::black_box(compress_into(chunk, &mut packed));
            }
            Ok(())
        })?,
        step("seal", 1.0, sealing(secrets, data))?,
        step("code", 1.0, || {
            // What is in the pack makes no difference; it is coded where it lies.
            for bytes in data.chunks(PACK_BYTES) {
                pack.resize(bytes.len(), 1);
                std::hint::black_box(erasure::encode_in_place(&mut pack, code, &mut parity));
            }
            Ok(())
        })?,
        step("hash shards, at both ends", 2.0 * SPREAD, || {
            for bytes in data.chunks(SHARD_BYTES) {
                std::hint::black_box(shard::shard_id(bytes));
            }
            Ok(())
        })?,
        transport(data)?,
        step("write durably at suppliers", SPREAD, || write(folder, data))?,
    ])
}

/// Nanoseconds of processor for each byte, the least of some rounds.
fn step(name: &'static str, times: f64, mut work: impl FnMut() -> Result<()>) -> Result<Step> {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let before = tree::processor_seconds(std::process::id())?;
        for _ in 0..REPEATS {
            work()?;
        }
        let used = tree::processor_seconds(std::process::id())? - before;
        least = least.min(used * 1e9 / (DATA_BYTES * REPEATS) as f64);
    }
    Ok(Step {
        name,
        nanoseconds: least,
        times,
    })
}

fn read(path: &Path) -> Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; MIB];
    while file.read(&mut buffer)? > 0 {
        std::hint::black_box(&buffer);
    }
    Ok(())
}

/// Seals chunks where they lie.
fn sealing(secrets: &EpochSecrets, data: &[u8]) -> impl FnMut() -> Result<()> {
    let cipher = PackCipher::new(secrets, PackKind::Data, PackId([1; 32]));
    let mut chunk = data[..CHUNK_BYTES].to_vec();
    move || {
        for counter in 0..u32::try_from(data.len() / CHUNK_BYTES)? {
            std::hint::black_box(cipher.seal_chunk(counter, &mut chunk));
        }
        Ok(())
    }
}

fn mask(secrets: &EpochSecrets, data: &[u8]) -> Result<()> {
    let (set, pack) = (SetId([1; 32]), PackId([1; 32]));
    let mask = ShardMask::new(secrets, set, pack, Position(0));
    let mut piece = data[..PIECE_BYTES].to_vec();
    for number in 0..data.len() / PIECE_BYTES {
        mask.apply((number * PIECE_BYTES) as u64, &mut piece);
    }
    Ok(())
}

/// Shards as files of their own: written around the page cache, synced, renamed, the folder
/// synced.
fn write(folder: &Path, data: &[u8]) -> Result<()> {
    let (part, whole) = (folder.join("shard.part"), folder.join("shard"));
    let direct = i32::try_from(OFlags::DIRECT.bits())?;
    let memory = vec![1; WRITE_BYTES + limits::DISK_ALIGN_BYTES];
    let start = memory.as_ptr().align_offset(limits::DISK_ALIGN_BYTES);
    let aligned = &memory[start..start + WRITE_BYTES];
    // What is in a shard makes no difference.
    for bytes in data.chunks(SHARD_BYTES) {
        let mut options = File::options();
        options.create(true).write(true).custom_flags(direct);
        let mut file = options.open(&part)?;
        for piece in bytes.chunks(WRITE_BYTES) {
            file.write_all(&aligned[..piece.len()])?;
        }
        file.sync_all()?;
        fs::rename(&part, &whole)?;
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// TLS with AES first, over one TCP connection of this machine, both ends.
fn transport(data: &[u8]) -> Result<Step> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let name = "encrypt, send over the loopback interface and decrypt";
    step(name, SPREAD, || runtime.block_on(send(data)))
}

async fn send(data: &[u8]) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let receiver = tokio::spawn(async move {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let tls = Tls::new(&Keypair::generate_ed25519())?;
        // TLS reads in small steps of its own.
        let socket = BufReader::with_capacity(limits::SOCKET_READ_BYTES, socket.compat());
        let (_, mut stream) = tls.accept(socket).await?;
        let mut buffer = vec![0; PIECE_BYTES];
        let mut received = 0;
        loop {
            match stream.read(&mut buffer).await? {
                0 => return Ok::<usize, anyhow::Error>(received),
                count => received += count,
            }
        }
    });
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let tls = Tls::new(&Keypair::generate_ed25519())?;
    let (_, mut stream) = tls.connect(socket.compat()).await?;
    for piece in data.chunks(PIECE_BYTES) {
        stream.write_all(piece).await?;
    }
    stream.close().await?;
    let received = receiver.await??;
    ensure!(received == data.len(), "{received} bytes came");
    Ok(())
}

/// Secrets of a phrase that anybody may know.
fn secrets() -> Result<EpochSecrets> {
    let words = format!("{}art", "abandon ".repeat(23));
    let phrase = Phrase::parse(&words).ok().context("the phrase")?;
    Ok(RootSecrets::from_phrase(&phrase).epoch(Epoch(0)))
}
