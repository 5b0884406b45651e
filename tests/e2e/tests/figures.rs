//! Figures of the status beside what lies at suppliers.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bitdust_e2e_tests::{Outcome, Stage, Transport, World, eventually, sized};
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
    let mut files = 0;
    for supplier in &stage.suppliers {
        files += shard_bytes(&HomePaths::new(&supplier.home).shards())?;
    }
    assert_eq!(kept + copies, files, "bytes that lie at suppliers");
    assert!(packed > large, "{packed} bytes are less than there are");
    // Each pack may lose a part of a byte.
    assert!(
        coded.abs_diff(packed * 2) < 100,
        "{coded} is not 6 / 3 of {packed}"
    );
    assert!(
        kept * 100 <= coded * 101,
        "{kept} bytes for {coded} are more than 1 % over"
    );
    assert_eq!(figure("metadata_bytes_per_file")?, metadata / files_kept);
    Ok(())
}

/// Bytes of whole shards below a folder, without their hash trees.
fn shard_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            bytes += shard_bytes(&path)?;
        } else if path.extension().is_none() {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
