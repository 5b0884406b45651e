//! Figures of the status beside what lies at suppliers.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bitdust_e2e_tests::{Outcome, Stage, Transport, World, eventually, sized};
use bitdust_model::limits;
use bitdust_store::HomePaths;

const SUPPLIERS: u8 = 6;
const SOON: Duration = Duration::from_secs(90);

#[test]
fn the_status_counts_what_suppliers_keep() -> Outcome {
    let world = World::over("figures", Transport::Tcp)?;
    let source = world.make_folder("source")?;
    let mut random = world.random();
    let (files_kept, large) = (sized(1_000, 5_000), sized(40_000_000, 100_000_000));
    for number in 1..files_kept {
        let folder = source.join(format!("{}", number / 500));
        fs::create_dir_all(&folder)?;
        random.write_file(&folder.join(format!("{number}")), 1_000 + number)?;
    }
    random.write_file(&source.join("large"), large)?;
    let stage = Stage::set_up(&world, SUPPLIERS, Some("3/6"))?;
    stage.back_up(&source)?;
    stage.customer.wait_until_spread()?;
    let status = eventually("every piece confirmed", SOON, || {
        let status = stage.customer.status()?;
        let figure = |name: &str| status[name].as_u64().unwrap_or(0);
        let copies = figure("metadata_bytes") * u64::from(SUPPLIERS);
        let is_whole = figure("kept_bytes") >= figure("coded_bytes")
            && figure("metadata_kept_bytes") >= copies;
        Ok(is_whole.then_some(status))
    })?;
    let figure = |name: &str| status[name].as_u64().with_context(|| name.to_owned());

    let (packed, coded) = (figure("packed_bytes")?, figure("coded_bytes")?);
    let (kept, metadata) = (figure("kept_bytes")?, figure("metadata_bytes")?);
    let copies = figure("metadata_kept_bytes")?;
    let (mut shards, mut bytes) = (0, 0);
    for supplier in &stage.suppliers {
        let found = shards_below(&HomePaths::new(&supplier.home).shards())?;
        (shards, bytes) = (shards + found.0, bytes + found.1);
    }
    assert_eq!(kept + copies, bytes, "bytes that lie at suppliers");
    assert!(packed > large, "{packed} bytes are less than there are");
    // Each pack may lose a part of a byte.
    assert!(
        coded.abs_diff(packed * 2) < 100,
        "{coded} is not 6 / 3 of {packed}"
    );
    let most = coded + shards * limits::SHARD_ALIGN as u64;
    assert!(
        kept <= most,
        "{kept} bytes for {coded}: a shard is filled up to a whole block, which makes {most}"
    );
    assert_eq!(figure("metadata_bytes_per_file")?, metadata / files_kept);
    Ok(())
}

/// How many whole shards lie below a folder, and their bytes without their hash trees.
fn shards_below(folder: &Path) -> Result<(u64, u64)> {
    let (mut shards, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            let below = shards_below(&path)?;
            (shards, bytes) = (shards + below.0, bytes + below.1);
        } else if path.extension().is_none() {
            (shards, bytes) = (shards + 1, bytes + entry.metadata()?.len());
        }
    }
    Ok((shards, bytes))
}
