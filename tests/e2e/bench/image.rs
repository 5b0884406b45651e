//! A disk image of 2 GB that is edited in places: what a backup of it sends, and how fast it
//! reads what lies in the page cache.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bitdust_e2e_tests::{Machine, Random, Stage, Transport, World};

use crate::Choice;
use crate::jobs::{CODE, MEMORY_MIB_BAR, SUPPLIERS, account};
use crate::report::{Bar, Figure, ONE_PEER, Report, Row};

const IMAGE_BYTES: u64 = 2_000_000_000;
const EDITS: u64 = 20;
const EDIT_BYTES: usize = 4 << 10;
const LONG: Duration = Duration::from_secs(580);

pub(crate) fn measure(choice: &Choice) -> Result<Report> {
    let world = World::over("bench-image", Transport::Tcp)?;
    let folder = world.make_folder("machine")?;
    let image = folder.join("disk.img");
    let mut random = Random::new(3);
    random.write_file(&image, IMAGE_BYTES)?;
    let stage = Stage::set_up(&world, SUPPLIERS, Some(CODE))?;
    let customer = &stage.customer;
    customer
        .order(&["folder", "add", "--"])
        .argument(&folder)
        .run()?;
    customer.order(&["backup"]).within(LONG).run()?;
    customer.wait_until_spread()?;

    let (mut sent, mut speeds, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut processors, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..choice.rounds {
        edit(&image, &mut random)?;
        let before = metadata_bytes(customer)?;
        let mut reply = None;
        let taken = account(&stage, |customer| {
            reply = Some(customer.order(&["backup"]).within(LONG).run()?);
            Ok(())
        })?;
        let packed = reply.map_or(Ok(0), |reply| reply.number("/packed_bytes"))?;
        speeds.push(IMAGE_BYTES as f64 / 1e9 / taken.seconds);
        seconds.push(taken.seconds);
        processors.push(taken.processor);
        peaks.push(taken.memory_mib);
        customer.wait_until_spread()?;
        let metadata = metadata_bytes(customer)? - before;
        sent.push((packed + metadata) as f64 / 1e6);
    }
    Ok(Report {
        peers: ONE_PEER,
        title: "A disk image of 2 GB, edited at 20 places by 4 KiB each",
        rows: vec![
            Row::new(
                "sent by a backup after the edits, metadata included, before coding",
                "MB",
                Figure::of(&sent),
            )
            .against(Bar::AtMost(32.0)),
            Row::new(
                "that backup, from the order to the end",
                "s",
                Figure::of(&seconds),
            ),
            Row::new(
                "the image's bytes in that time, from the page cache",
                "GB/s",
                Figure::middle(&speeds),
            )
            .against(Bar::AtLeast(1.0)),
            Row::new("processor of the customer", "s", Figure::of(&processors)),
            Row::new("peak memory of the customer", "MiB", Figure::of(&peaks))
                .against(Bar::AtMost(MEMORY_MIB_BAR)),
        ],
    })
}

fn metadata_bytes(customer: &Machine) -> Result<u64> {
    let status = customer.status()?;
    status["metadata_bytes"].as_u64().context("no figure")
}

/// Writes new bytes at places all over the image, then reads all of it once, so that it lies
/// in the page cache whatever was measured before.
fn edit(image: &Path, random: &mut Random) -> Result<()> {
    let file = File::options().write(true).open(image)?;
    let mut block = [0; EDIT_BYTES];
    let stretch = IMAGE_BYTES / EDITS;
    for number in 0..EDITS {
        random.fill(&mut block);
        let offset = number * stretch + random.next() % (stretch - EDIT_BYTES as u64);
        file.write_all_at(&block, offset)?;
    }
    file.sync_all()?;
    io::copy(&mut File::open(image)?, &mut io::sink())?;
    Ok(())
}
