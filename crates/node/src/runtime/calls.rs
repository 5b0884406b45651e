//! Answers the calls of front ends. Nothing is decided here: commands become inputs of the
//! engine, questions are answered from the catalogue and the engine's view.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use bitdust_api::call::Conflict;
use bitdust_api::history::Happening;
use bitdust_api::view::{EntryView, ListingView, SCHEDULE_MINUTES, Schedule};
use bitdust_api::{Answer, ApiError, Call};
use bitdust_crypto::{Phrase, RootSecrets, invitation, random};
use bitdust_engine::{Input, JobId, SupplierFact};
use bitdust_model::locator::{Contact, Invitation};
use bitdust_model::manifest::{FolderRecord, SnapshotRecord};
use bitdust_model::message::Body;
use bitdust_model::tree::{Entry, Node as TreeNode};
use bitdust_model::{DeviceId, ErrorCode, FolderId, IdentityId, Severity, limits};
use bitdust_net::{Peer, Reply};
use bitdust_source::{Excludes, WalkOptions};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::{Friend, HistoryQuestion, Introduction, Redeemed};

use crate::backup::refusal;
use crate::front::local::PendingCall;
use crate::restore::reader::{Found, Reader};
use crate::restore::writer::RestoreRequest;
use crate::runtime::Node;
use crate::shared::context::{Context, wall_clock};
use crate::shared::job::{Job, JobKind};
use crate::shared::task::blocking;
use crate::shared::task_event::Back;
use crate::shared::text::{escape, snapshot_at, unescape};

/// Entries in one page of a listing.
const LISTING_PAGE: usize = 1_000;

pub(crate) type Reported = Result<Answer, ApiError>;

impl Node {
    /// Answers a call, now or from a task.
    pub(crate) fn answer(&mut self, pending: PendingCall) {
        let PendingCall { call, reply } = pending;
        if let Call::List { target, after } = call {
            return self.list(target, after, reply);
        }
        if let Call::Accept { code } = &call {
            return self.accept_invitation(code, reply);
        }
        if let Call::FolderEstimate {
            path,
            excludes,
            crosses_mounts,
        } = call
        {
            let options = WalkOptions { crosses_mounts };
            return self.estimate_folder(&path, excludes, options, reply);
        }
        if let Call::Search { .. } | Call::FileVersions { .. } | Call::Preview { .. } = call {
            return self.browse(call, reply);
        }
        let answer = self.answer_now(call);
        // A front end that left does not wait for its answer.
        drop(reply.send(answer));
    }

    fn answer_now(&mut self, call: Call) -> Reported {
        match call {
            Call::Status => Ok(Answer::Status(Box::new(self.status()?))),
            Call::SettingsGet { key } => Ok(Answer::Settings(self.config.views(key.as_deref())?)),
            Call::SettingsSet { key, value } => self.change_setting(&key, &value),
            Call::Offer { bytes } => self.change_setting("offer", &bytes.to_string()),
            Call::Invite => self.invite(),
            Call::SupplierList => Ok(Answer::Suppliers(self.supplier_views()?)),
            Call::SupplierHire { count } => self.change_setting("suppliers", &count.to_string()),
            Call::SupplierFire { .. } => Err(not_yet("releasing a supplier")),
            Call::CustomerList => Ok(Answer::Customers(self.customer_views())),
            Call::FolderAdd {
                path,
                excludes,
                crosses_mounts,
            } => self.add_folder(&path, excludes, crosses_mounts),
            Call::FolderList => Ok(Answer::Folders(self.folder_views()?)),
            Call::FolderChange {
                folder,
                excludes,
                crosses_mounts,
                schedule,
            } => self.change_folder(&folder, excludes, crosses_mounts, schedule),
            Call::FolderRemove { folder } => self.remove_folder(&folder),
            Call::Backup { folders } => self.begin_backup(&folders),
            Call::Snapshots => Ok(Answer::Snapshots(self.snapshot_views()?)),
            Call::Restore {
                target,
                only,
                to,
                conflict,
            } => self.begin_restore(&target, &only, to.as_deref(), conflict),
            Call::Verify { sample } => {
                Ok(
                    self.begin(JobKind::Verify { sample }, |job| Input::RestoreAsked {
                        job,
                    }),
                )
            }
            Call::History {
                before,
                severity,
                text,
            } => {
                let question = HistoryQuestion {
                    before,
                    severity,
                    text,
                };
                Ok(Answer::History(self.history(&question)?))
            }
            Call::PhraseCheck { phrase } => self.check_phrase(&phrase),
            Call::DeviceList => Ok(Answer::Devices(self.device_views()?)),
            Call::Cancel { job } => {
                let id = JobId(job.0);
                let Some(job) = self.jobs.get(&id) else {
                    return Err(ApiError::new(
                        ErrorCode::NotFound,
                        "this job has ended already",
                    ));
                };
                // One that is done already ends as it would have.
                if job.counters.cancel() {
                    job.permits.close();
                    self.tell(Input::CancelAsked { job: id });
                }
                Ok(Answer::Done)
            }
            Call::Shutdown => {
                self.is_stopping = true;
                Ok(Answer::Done)
            }
            Call::List { .. }
            | Call::Accept { .. }
            | Call::FolderEstimate { .. }
            | Call::Search { .. }
            | Call::FileVersions { .. }
            | Call::Preview { .. } => Err(ApiError::new(ErrorCode::Internal, "answered elsewhere")),
        }
    }

    /// Starts a job and gives its number.
    pub(crate) fn begin(&mut self, kind: JobKind, input: impl FnOnce(JobId) -> Input) -> Answer {
        let id = JobId(self.number());
        self.jobs.insert(id, Job::new(kind));
        self.tell(input(id));
        Answer::Job(bitdust_api::JobId(id.0))
    }

    fn change_setting(&mut self, key: &str, value: &str) -> Reported {
        let mut config = self.config.clone();
        config.set(key, value)?;
        config.save(self.home.paths())?;
        let before = std::mem::replace(&mut self.config, config);
        if before.code != self.config.code {
            self.tell(Input::CodeWanted {
                code: self.config.code,
            });
        }
        if before.suppliers != self.config.suppliers {
            self.tell(Input::SuppliersWanted {
                count: self.config.suppliers,
            });
        }
        if before.schedule != self.config.schedule {
            for folder in self.context.catalogue.folders().map_err(catalogue_error)? {
                self.plan_folder(folder.folder).map_err(catalogue_error)?;
            }
        }
        if before.offer != self.config.offer {
            let bytes = self.config.offer.0;
            let message = format!("{bytes} bytes are offered to others now");
            self.notice(Severity::Note, Happening::OfferChanged { bytes }, message);
            self.tell(Input::OfferChanged {
                bytes: self.config.offer,
            });
        }
        Ok(Answer::Done)
    }

    fn invite(&mut self) -> Reported {
        let token: [u8; 16] = random();
        self.context
            .catalogue
            .issue_invitation(&token, wall_clock())
            .map_err(catalogue_error)?;
        let invitation = Invitation {
            network: self.context.network.to_string(),
            contact: self.own_contact(),
            nickname: self.config.nickname.clone(),
            certificate: self.context.secrets.certificate.clone(),
            token,
        };
        let signed = self.context.secrets.device.signing().sign(&invitation);
        Ok(Answer::Invitation(invitation::to_text(&signed)))
    }

    fn own_contact(&self) -> Contact {
        let addresses = self
            .reachable_addresses()
            .into_iter()
            .take(INVITATION_ADDRESSES_MAX)
            .collect();
        Contact {
            identity: self.context.identity,
            device: self.context.device,
            addresses,
        }
    }

    fn accept_invitation(&mut self, code: &str, reply: oneshot::Sender<Reported>) {
        let invitation = match invitation::from_text(code) {
            Ok(invitation) if *invitation.network == *self.context.network => invitation,
            Ok(invitation) => {
                let message = format!(
                    "the invitation is for the network {:?}, this home belongs to {:?}; nothing was changed",
                    invitation.network, self.context.network
                );
                return drop(reply.send(Err(ApiError::new(ErrorCode::Incompatible, message))));
            }
            Err(error) => {
                return drop(
                    reply.send(Err(ApiError::new(ErrorCode::BadRequest, error.to_string()))),
                );
            }
        };
        self.contacts.insert(
            invitation.contact.device,
            invitation.contact.addresses.clone(),
        );
        let (context, own) = (self.context.clone(), self.own_contact());
        self.tasks.spawn(async move {
            let made = befriend(&context, &invitation, own).await.map_err(|code| {
                ApiError::new(
                    code,
                    format!(
                        "the invitation could not be used: {}; nothing was changed",
                        crate::shared::words::failure(code)
                    ),
                )
            });
            match made {
                Ok(()) => {
                    let made = Back::FriendMade {
                        invitation: Box::new(invitation),
                        reply,
                    };
                    drop(context.back.send(made).await);
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        });
    }

    /// The friend is recorded: the engine may hire them.
    pub(crate) fn friend_made(
        &mut self,
        invitation: &Invitation,
        reply: oneshot::Sender<Reported>,
    ) {
        let contact = &invitation.contact;
        self.friends.insert(contact.identity);
        self.notice_friend(&invitation.nickname, contact.device);
        self.tell(Input::FriendMade {
            supplier: SupplierFact {
                device: contact.device,
                identity: contact.identity,
                friend: true,
                contract: None,
                proved_ago_ms: None,
                doubted: false,
            },
        });
        let view = self
            .supplier_views()
            .and_then(|views| {
                let device = contact.device.to_hex();
                views
                    .into_iter()
                    .find(|view| view.device == device)
                    .ok_or_else(|| {
                        ApiError::new(ErrorCode::Internal, "the friend was not recorded")
                    })
            })
            .map(Answer::Supplier);
        drop(reply.send(view));
    }

    /// Somebody shows a token of ours.
    pub(crate) fn befriended(&mut self, from: Peer, body: Body, reply: Reply) {
        let Body::Befriend {
            token,
            contact,
            nickname,
        } = body
        else {
            return reply.refuse(ErrorCode::Malformed);
        };
        if contact.device != from.device || contact.identity != from.identity {
            return reply.refuse(ErrorCode::NotAuthentic);
        }
        let redeemed =
            self.context
                .catalogue
                .redeem_invitation(&token, from.identity, wall_clock());
        match redeemed {
            Ok(Redeemed::Accepted) => {
                let friend = Friend {
                    device: from.device,
                    identity: from.identity,
                    nickname: nickname.chars().take(limits::NICKNAME_BYTES_MAX).collect(),
                    addresses: contact.addresses,
                    since: wall_clock(),
                };
                let nickname = friend.nickname.clone();
                match self.context.catalogue.put_friend(friend) {
                    Ok(()) => {
                        self.friends.insert(from.identity);
                        self.notice_friend(&nickname, from.device);
                        reply.send(Body::Done);
                    }
                    Err(error) => reply.refuse(error.code()),
                }
            }
            Ok(Redeemed::AlreadyUsed) => reply.refuse(ErrorCode::Expired),
            Ok(Redeemed::Unknown) => reply.refuse(ErrorCode::NotFound),
            Err(error) => reply.refuse(error.code()),
        }
    }

    fn notice_friend(&mut self, nickname: &str, device: DeviceId) {
        let name = format!("{nickname} · {}", device.fingerprint());
        let message = format!("{name} is a friend now");
        self.notice(Severity::Note, Happening::FriendMade { name }, message);
    }

    fn add_folder(&mut self, path: &str, excludes: Vec<String>, crosses_mounts: bool) -> Reported {
        let absolute = existing_folder(path)?;
        check_excludes(&excludes)?;
        let known = self.context.catalogue.folders().map_err(catalogue_error)?;
        let bytes = absolute.as_os_str().as_bytes();
        let folder = known
            .iter()
            .find(|folder| folder.path == bytes)
            .map_or_else(|| FolderId(random()), |known| known.folder);
        let record = FolderRecord {
            folder,
            path: bytes.to_vec(),
            excludes,
            crosses_mounts,
        };
        self.context
            .catalogue
            .add_folder(record)
            .map_err(catalogue_error)?;
        let path = escape(bytes);
        let message = format!("{path} is backed up from now on");
        self.notice(Severity::Note, Happening::FolderAdded { path }, message);
        self.plan_folder(folder).map_err(catalogue_error)?;
        self.folder_answer(folder)
    }

    fn folder_answer(&self, folder: FolderId) -> Reported {
        let view = self
            .folder_views()?
            .into_iter()
            .find(|view| view.id == folder.to_hex());
        view.map(Answer::Folder)
            .ok_or_else(|| ApiError::new(ErrorCode::Internal, "the folder was not recorded"))
    }

    fn change_folder(
        &mut self,
        name: &str,
        excludes: Vec<String>,
        crosses_mounts: bool,
        schedule: Schedule,
    ) -> Reported {
        check_excludes(&excludes)?;
        if let Schedule::Every { minutes } = schedule
            && !SCHEDULE_MINUTES.contains(&minutes)
        {
            let message = format!("{minutes} minutes are no schedule: 5 to 10080 are possible");
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        let mut folder = self.find_folder(name)?;
        let id = folder.folder;
        let catalogue = self.context.catalogue.clone();
        crate::backup::watches::keep_schedule(&catalogue, id, schedule).map_err(catalogue_error)?;
        let has_new_rules = folder.excludes != excludes;
        folder.excludes = excludes;
        folder.crosses_mounts = crosses_mounts;
        catalogue.add_folder(folder).map_err(catalogue_error)?;
        if has_new_rules {
            // The watch goes by the patterns: it is opened anew.
            self.tell(Input::FolderForgotten { folder: id });
        }
        self.plan_folder(id).map_err(catalogue_error)?;
        self.folder_answer(id)
    }

    fn remove_folder(&mut self, name: &str) -> Reported {
        let folder = self.find_folder(name)?;
        self.context
            .catalogue
            .remove_folder(folder.folder)
            .map_err(catalogue_error)?;
        self.tell(Input::FolderForgotten {
            folder: folder.folder,
        });
        let path = escape(&folder.path);
        let message = format!("{path} is backed up no more; its stored versions stay");
        self.notice(Severity::Note, Happening::FolderRemoved { path }, message);
        Ok(Answer::Done)
    }

    /// Whether these are the words of this identity.
    fn check_phrase(&mut self, phrase: &str) -> Reported {
        let phrase = Phrase::parse(phrase)
            .map_err(|error| ApiError::new(ErrorCode::BadRequest, error.to_string()))?;
        let is_right = RootSecrets::from_phrase(&phrase).identity() == self.context.identity;
        if is_right {
            self.change_setting("phrase_confirmed", "true")?;
        }
        Ok(Answer::PhraseIsRight(is_right))
    }

    fn find_folder(&self, name: &str) -> Result<FolderRecord, ApiError> {
        let folders = self.context.catalogue.folders().map_err(catalogue_error)?;
        let path = unescape(name);
        let absolute = std::fs::canonicalize(Path::new(std::ffi::OsStr::from_bytes(&path))).ok();
        folders
            .into_iter()
            .find(|folder| {
                folder.path == path
                    || folder.folder.to_hex() == name
                    || absolute
                        .as_ref()
                        .is_some_and(|absolute| absolute.as_os_str().as_bytes() == folder.path)
            })
            .ok_or_else(|| {
                ApiError::new(
                    ErrorCode::NotFound,
                    format!("{name} is not under protection; `bitdust folder list` shows what is"),
                )
            })
    }

    fn begin_backup(&mut self, names: &[String]) -> Reported {
        let is_asked = |job: &Job| {
            matches!(
                job.kind,
                JobKind::Backup {
                    by_itself: false,
                    ..
                }
            )
        };
        if self.jobs.values().any(is_asked) {
            return Err(ApiError::new(
                ErrorCode::Busy,
                "a backup is running already; wait until it is done",
            ));
        }
        let folders = if names.is_empty() {
            self.context.catalogue.folders().map_err(catalogue_error)?
        } else {
            names
                .iter()
                .map(|name| self.find_folder(name))
                .collect::<Result<_, _>>()?
        };
        if folders.is_empty() {
            let message =
                "no folder is under protection yet; add one with `bitdust folder add DIR`";
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        let ids = folders.iter().map(|folder| folder.folder).collect();
        let kind = JobKind::Backup {
            folders,
            by_itself: false,
        };
        Ok(self.begin(kind, |job| Input::BackupAsked {
            job,
            folders: ids,
            by_itself: false,
        }))
    }

    fn begin_restore(
        &mut self,
        target: &str,
        only: &[String],
        to: Option<&str>,
        conflict: Conflict,
    ) -> Reported {
        let (snapshot, path) = self.resolve(target)?;
        let conflict = match conflict {
            Conflict::Replace => bitdust_source::Conflict::Replace,
            Conflict::KeepBoth => bitdust_source::Conflict::KeepBoth,
            Conflict::Skip => bitdust_source::Conflict::Skip,
        };
        if only.len() > limits::RESTORE_SELECTED_MAX {
            let message = format!(
                "at most {} things can be chosen at once; choose the folder they are in",
                limits::RESTORE_SELECTED_MAX
            );
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        let to = match to {
            Some(to) => {
                crate::restore::writer::Place::Into(PathBuf::from(OsString::from_vec(unescape(to))))
            }
            None => crate::restore::writer::Place::Original,
        };
        let request = RestoreRequest::new(
            snapshot,
            path,
            only.iter().map(|path| unescape(path)).collect(),
            to,
            conflict,
        );
        Ok(self.begin(JobKind::Restore(Box::new(request)), |job| {
            Input::RestoreAsked { job }
        }))
    }

    /// `SNAPSHOT[:PATH]`: a version by id, prefix, time or `latest`, and a path in it.
    pub(crate) fn resolve(&self, target: &str) -> Result<(SnapshotRecord, Vec<u8>), ApiError> {
        let snapshots = self
            .context
            .catalogue
            .snapshots()
            .map_err(catalogue_error)?;
        let (name, path) = crate::shared::text::split_target(target);
        let found = if name == "latest" {
            snapshots.iter().max_by_key(|snapshot| snapshot.taken_at)
        } else if let Some(at) = snapshot_at(name) {
            snapshots
                .iter()
                .filter(|snapshot| snapshot.taken_at <= at)
                .max_by_key(|snapshot| snapshot.taken_at)
        } else {
            let mut matching = snapshots
                .iter()
                .filter(|snapshot| name.len() >= 4 && snapshot.snapshot.to_hex().starts_with(name));
            match (matching.next(), matching.next()) {
                (Some(_), Some(_)) => {
                    let message = format!("{name} fits several versions; give more of the id");
                    return Err(ApiError::new(ErrorCode::BadRequest, message));
                }
                (found, _) => found,
            }
        };
        let Some(snapshot) = found else {
            let message = format!("there is no version {name:?}; `bitdust snapshots` lists them");
            return Err(ApiError::new(ErrorCode::NotFound, message));
        };
        Ok((snapshot.clone(), unescape(path)))
    }

    fn list(&mut self, target: String, after: Option<String>, reply: oneshot::Sender<Reported>) {
        let (snapshot, path) = match self.resolve(&target) {
            Ok(resolved) => resolved,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let after = after.map(|after| unescape(&after));
        let runtime = Handle::current();
        self.look_up(reply, move |context, lookup| {
            listing(context, lookup, &snapshot, &path, after.as_deref(), runtime)
                .map(Answer::Listing)
                .map_err(|code| {
                    let message = if code == ErrorCode::NotFound {
                        format!("{target} is not in this version")
                    } else {
                        let reason = crate::shared::words::failure(code);
                        format!("{target} cannot be listed: {reason}")
                    };
                    ApiError::new(code, message)
                })
        });
    }
}

/// The folder that a text names, absolute and without links.
pub(crate) fn existing_folder(path: &str) -> Result<PathBuf, ApiError> {
    let path = PathBuf::from(OsString::from_vec(unescape(path)));
    let cannot = |error: std::io::Error| {
        let message = format!("{} cannot be read: {error}", path.display());
        ApiError::new(ErrorCode::Unreadable, message)
    };
    let absolute = std::fs::canonicalize(&path).map_err(cannot)?;
    if absolute.is_dir() {
        Ok(absolute)
    } else {
        let message = format!("{} is not a folder", path.display());
        Err(ApiError::new(ErrorCode::BadRequest, message))
    }
}

/// The rules that patterns make.
pub(crate) fn check_excludes(patterns: &[String]) -> Result<Excludes, ApiError> {
    Excludes::new(patterns).map_err(|error| ApiError::new(ErrorCode::BadRequest, error.to_string()))
}

/// Addresses in an invitation, so that it stays short.
const INVITATION_ADDRESSES_MAX: usize = 4;

fn not_yet(what: &str) -> ApiError {
    ApiError::new(
        ErrorCode::NotYet,
        format!("{what} belongs to a later release; nothing was changed"),
    )
}

/// An error of the catalogue for people.
pub(crate) fn catalogue_error(error: CatalogueError) -> ApiError {
    ApiError::new(error.code(), format!("the catalogue: {error}"))
}

/// Shows the token to who issued it, and records them as a friend.
async fn befriend(
    context: &Context,
    invitation: &Invitation,
    own: Contact,
) -> Result<(), ErrorCode> {
    let contact = invitation.contact.clone();
    context
        .net
        .dial(contact.device, contact.addresses.clone())
        .await
        .map_err(|error| error.code())?;
    let body = Body::Befriend {
        token: invitation.token,
        contact: own,
        nickname: context.nickname.to_string(),
    };
    let answer = context
        .net
        .request(contact.device, body)
        .await
        .map_err(|error| error.code())?;
    if answer != Body::Done {
        return Err(refusal(&answer));
    }
    let (catalogue, nickname) = (context.catalogue.clone(), invitation.nickname.clone());
    blocking(move || {
        record_friend(
            &catalogue,
            contact.device,
            contact.identity,
            contact.addresses,
            nickname,
        )
    })
    .await?
    .map_err(|error| error.code())
}

fn record_friend(
    catalogue: &bitdust_store::Catalogue,
    device: DeviceId,
    identity: IdentityId,
    addresses: Vec<String>,
    nickname: String,
) -> Result<(), CatalogueError> {
    catalogue.introduce_supplier(Introduction {
        device,
        identity,
        friend: true,
        addresses: addresses.clone(),
        seen: Some(wall_clock()),
    })?;
    catalogue.put_friend(Friend {
        device,
        identity,
        nickname,
        addresses,
        since: wall_clock(),
    })
}

fn listing(
    context: &Context,
    job: JobId,
    snapshot: &SnapshotRecord,
    path: &[u8],
    after: Option<&[u8]>,
    runtime: Handle,
) -> Result<ListingView, ErrorCode> {
    let mut reader = Reader::new(context, runtime, job, 0);
    let pages = match reader.find(snapshot, path)? {
        Found::Folder { pages, .. } => pages,
        Found::Other(entry) => {
            return Ok(ListingView {
                entries: vec![entry_view(&entry)],
                more: false,
            });
        }
    };
    let mut entries = Vec::new();
    for page in pages {
        for entry in reader.page(page)? {
            if after.is_some_and(|after| entry.name.as_slice() <= after) {
                continue;
            }
            if entries.len() == LISTING_PAGE {
                return Ok(ListingView {
                    entries,
                    more: true,
                });
            }
            entries.push(entry_view(&entry));
        }
    }
    Ok(ListingView {
        entries,
        more: false,
    })
}

pub(crate) fn entry_view(entry: &Entry) -> EntryView {
    let (kind, bytes, target) = match &entry.node {
        TreeNode::File { size, .. } => ("file", *size, None),
        TreeNode::Directory { .. } => ("directory", 0, None),
        TreeNode::Symlink { target } => ("symlink", 0, Some(escape(target))),
        TreeNode::Fifo => ("fifo", 0, None),
        TreeNode::Socket => ("socket", 0, None),
        TreeNode::Device { .. } => ("device", 0, None),
    };
    EntryView {
        name: escape(&entry.name),
        kind: kind.to_owned(),
        bytes,
        mode: entry.meta.mode,
        mtime_seconds: entry.meta.mtime_seconds,
        target,
    }
}
