//! What earlier versions of documents looked like, to be read and never written.
//!
//! A document that has such versions says here how it is read, so that this knows the documents
//! and they do not know this.

use serde::Deserialize;

use crate::codec::Versioned;
use crate::id::{DeviceId, FolderId};
use crate::limits;
use crate::manifest::{BlobRef, FolderRecord, Manifest, PackRef, SnapshotRecord};
use crate::unit::Sequence;

impl Versioned for Manifest {
    const KIND: &'static str = "manifest";
    const VERSION: u8 = 2;
    const BYTES_MAX: usize = limits::CHUNK_BYTES_MAX;

    fn migrate(version: u8, body: &[u8]) -> Option<Self> {
        (version == 1)
            .then(|| manifest_of_version_1(body))
            .flatten()
    }
}

/// Version 1 of a folder: it always crossed into other file systems.
#[derive(Deserialize)]
struct FolderRecord1 {
    folder: FolderId,
    path: Vec<u8>,
    excludes: Vec<String>,
}

impl From<FolderRecord1> for FolderRecord {
    fn from(older: FolderRecord1) -> Self {
        Self {
            folder: older.folder,
            path: older.path,
            excludes: older.excludes,
            crosses_mounts: true,
        }
    }
}

/// Version 1 of a manifest, with folders of version 1.
#[derive(Deserialize)]
struct Manifest1 {
    lane: DeviceId,
    sequence: Sequence,
    device_label: String,
    folders: Vec<FolderRecord1>,
    older: Vec<BlobRef>,
    snapshots: Vec<SnapshotRecord>,
    segments: Vec<Vec<BlobRef>>,
    packs: Vec<PackRef>,
}

impl From<Manifest1> for Manifest {
    fn from(older: Manifest1) -> Self {
        Self {
            lane: older.lane,
            sequence: older.sequence,
            device_label: older.device_label,
            folders: older.folders.into_iter().map(FolderRecord::from).collect(),
            older: older.older,
            snapshots: older.snapshots,
            segments: older.segments,
            packs: older.packs,
        }
    }
}

/// Reads a folder of version 1; nothing where the bytes are none, or further bytes follow.
#[must_use]
pub fn folder_of_version_1(body: &[u8]) -> Option<FolderRecord> {
    whole::<FolderRecord1>(body).map(FolderRecord::from)
}

fn manifest_of_version_1(body: &[u8]) -> Option<Manifest> {
    whole::<Manifest1>(body).map(Manifest::from)
}

fn whole<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Some(value),
        Ok(_) | Err(_) => None,
    }
}
