//! Carries files from source to target.

use super::{case::Case, found_files};
use crate::{
    Context, SyncError, error::Side, events::Notice, jobs::check_instance, lease::Lease, link::Link,
};
use futures_util::StreamExt;
use mirror_core::{
    issue::Discussion,
    mapping::{UploadKey, UploadOutcome},
    markdown::uploads::UploadRef,
    plan::Step,
    project::{Role, Visibility},
    render::mentioned_uploads,
};
use mirror_gitlab::{ByteStream, Download, ErrorKind, TransportError, TransportErrorKind};
use mirror_store::TransferState;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Where each mentioned file can be linked on the target. Those not carried over stay links to the
/// source.
#[derive(Default)]
pub(crate) struct Carried {
    urls: HashMap<UploadRef, String>,
    /// What a plan would send.
    pub(crate) steps: Vec<Step>,
}

impl Carried {
    pub(crate) fn link(&self, upload: &UploadRef) -> Option<String> {
        self.urls.get(upload).cloned()
    }
}

/// Carries every mentioned file that is not on the target yet.
pub(crate) async fn carry(
    case: &mut Case<'_>,
    threads: &[Discussion],
) -> Result<Carried, SyncError> {
    let mentioned = mentioned_uploads(&case.frame().source, &case.source, threads);
    let mut carried = Carried::default();
    if mentioned.is_empty() {
        return Ok(carried);
    }
    let keys: Vec<UploadKey> = mentioned
        .iter()
        .map(|(upload, _)| key(case.link, upload))
        .collect();
    let known = case.cx.store.uploads(&keys).await?;
    let unknown: Vec<&UploadRef> = mentioned
        .iter()
        .zip(&keys)
        .filter(|(_, key)| !known.contains_key(*key))
        .map(|((upload, _), _)| upload)
        .collect();
    let found = found_files::find(case, threads, &unknown).await?;
    let mut large = Vec::new();
    let mut audience = Audience::default();
    for ((upload, only_hidden), key) in mentioned.into_iter().zip(keys) {
        let outcome = match known.get(&key).or_else(|| found.get(&upload)) {
            Some(outcome) => outcome.clone(),
            None if only_hidden && !audience.may_have(case.cx, case.link).await? => {
                let why = HIDDEN.to_owned();
                case.notice(Notice::UploadLeft { why });
                continue;
            }
            None if case.cx.plans_only() => {
                carried.steps.push(Step::TransferUpload {
                    filename: upload.filename.clone(),
                    hidden: only_hidden,
                });
                let url = format!("/uploads/{}/{}", upload.secret, upload.filename);
                UploadOutcome::Transferred { url, size: 0 }
            }
            None => match carry_one(case, &upload, &key).await? {
                Some(outcome) => outcome,
                None => {
                    large.push(key);
                    continue;
                }
            },
        };
        if let UploadOutcome::Transferred { url, .. } = outcome {
            carried.urls.insert(upload, url);
        }
    }
    if large.is_empty() {
        return Ok(carried);
    }
    let (store, fence) = (&case.cx.store, &case.lease.fence);
    let (mirror, priority) = (case.link.mirror, case.lease.priority);
    store
        .owe_transfers(fence, mirror, case.iid(), &large, priority)
        .await?;
    Err(SyncError::Waits(
        "for its large files, carried by jobs of their own",
    ))
}

/// Why a file that only hidden texts mention was left where it is.
const HIDDEN: &str = "a file of a confidential issue or internal note is not copied into a project \
                      that others can see, unless --expose-files allows it";

/// Who can open files of the target: everybody who sees the project and has the address. That may
/// have been changed a moment ago, so it is asked, once in a job.
#[derive(Default)]
pub(crate) struct Audience {
    is_private: Option<bool>,
}

impl Audience {
    /// Whether a file may go there that only hidden texts mention.
    pub(crate) async fn may_have(&mut self, cx: &Context, link: &Link) -> Result<bool, SyncError> {
        let known = &link.target.project;
        if known.role.is_none_or(|role| role < Role::PLANNER) {
            // The text that mentions it does not go there, either.
            return Ok(false);
        }
        if link.settings.exposes_files {
            return Ok(true);
        }
        if known.visibility != Visibility::Private {
            return Ok(false);
        }
        if let Some(is_private) = self.is_private {
            return Ok(is_private);
        }
        let project = check_instance::readable(cx, link, Side::Target).await?;
        Ok(*self
            .is_private
            .insert(project.visibility == Visibility::Private))
    }
}

pub(crate) fn key(link: &Link, upload: &UploadRef) -> UploadKey {
    UploadKey {
        source_instance: link.source.instance,
        source_project: link.source.project.id,
        secret: upload.secret.clone(),
        filename: upload.filename.clone(),
        target_instance: link.target.instance,
        target_project: link.target.project.id,
    }
}

/// Carries a file that is not large; `None`: it is, and a job of its own will.
async fn carry_one(
    case: &mut Case<'_>,
    upload: &UploadRef,
    key: &UploadKey,
) -> Result<Option<UploadOutcome>, SyncError> {
    // Others may have been carried for long.
    case.still_fresh().await?;
    let (cx, link) = (case.cx, case.link);
    // What may have to be hidden on the target is not kept waiting for it.
    let to_be_hidden = case.source.confidential && case.mapping.target.is_some();
    let small = match cx.store.transfer_state(link.mirror, key).await? {
        Some(TransferState::UnderWay) if !to_be_hidden => return Ok(None),
        // Given up there: how it fails is this issue's business again.
        Some(TransferState::UnderWay | TransferState::Dead) => u64::MAX,
        None if to_be_hidden => u64::MAX,
        None => link.settings.large_attachment,
    };
    let Some(sent) = send(cx, case.lease, link, upload, small).await? else {
        return Ok(None);
    };
    let (outcome, refused) = record(cx, case.lease, key, sent).await?;
    match refused {
        Some(why) => case.notice(Notice::UploadLeft { why }),
        None => case.done.attachments += 1,
    }
    Ok(Some(outcome))
}

/// Carries a file of any size. Beside the outcome why it was refused, if it was.
pub(crate) async fn transfer(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    upload: &UploadRef,
    key: &UploadKey,
) -> Result<(UploadOutcome, Option<String>), SyncError> {
    match send(cx, lease, link, upload, u64::MAX).await? {
        Some(sent) => record(cx, lease, key, sent).await,
        None => Err(SyncError::Stale),
    }
}

async fn record(
    cx: &Context,
    lease: &Lease,
    key: &UploadKey,
    sent: Result<UploadOutcome, String>,
) -> Result<(UploadOutcome, Option<String>), SyncError> {
    let (outcome, refused) = match sent {
        Ok(outcome) => {
            lease.file_carried();
            (outcome, None)
        }
        Err(reason) => (
            UploadOutcome::Refused {
                reason: reason.clone(),
            },
            Some(reason),
        ),
    };
    Ok((cx.store.record_upload(key, &outcome).await?, refused))
}

/// A refusal for good is in words for a person.
type Sent = Result<UploadOutcome, String>;

/// One file, streamed; `None`: it is announced with more than `small` bytes, and was left alone.
async fn send(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    upload: &UploadRef,
    small: u64,
) -> Result<Option<Sent>, SyncError> {
    let (source, target) = (&link.source, &link.target);
    let version = source.metadata.major_minor;
    let opened = source
        .client
        .download_upload(&source.project, &upload.secret, &upload.filename, version)
        .await;
    let Download { length, stream } = match opened {
        Ok(download) => download,
        Err(error) => return refused(Side::Source, error).map(Some),
    };
    let limit = link.settings.max_attachment;
    let too_large = format!("larger than --max-attachment-size ({limit} bytes)");
    if length.is_some_and(|length| length > limit) {
        return Ok(Some(Err(too_large)));
    }
    if length.is_some_and(|length| length > small) {
        return Ok(None);
    }
    cx.may_write(lease)?;
    let (stream, cut) = bounded(stream, limit);
    let project = target.project.id;
    match target
        .client
        .upload(project, &upload.filename, length, stream)
        .await
    {
        Ok(uploaded) => {
            let size = length
                .and_then(|length| i64::try_from(length).ok())
                .unwrap_or_default();
            Ok(Some(Ok(UploadOutcome::Transferred {
                url: uploaded.url,
                size,
            })))
        }
        Err(_) if cut.load(Ordering::Acquire) => Ok(Some(Err(too_large))),
        Err(error) => {
            let sent = refused(Side::Target, error)?;
            Ok(Some(sent.map_err(|why| without_name(why, upload))))
        }
    }
}

/// A file's name may be a secret.
fn without_name(why: String, upload: &UploadRef) -> String {
    if why.contains(upload.filename.as_str()) {
        return "refused by the target".to_owned();
    }
    why
}

/// Ends the stream with an error once it has brought more than `limit` bytes; the flag tells that
/// it did.
fn bounded(stream: ByteStream, limit: u64) -> (ByteStream, Arc<AtomicBool>) {
    let cut = Arc::new(AtomicBool::new(false));
    let flag = cut.clone();
    let mut left = limit;
    let stream = stream.map(move |piece| {
        let piece = piece?;
        match left.checked_sub(piece.len() as u64) {
            Some(rest) => {
                left = rest;
                Ok(piece)
            }
            None => {
                flag.store(true, Ordering::Release);
                Err(TransportError::new(
                    TransportErrorKind::Cut,
                    "over the size limit",
                ))
            }
        }
    });
    (stream.boxed(), cut)
}

/// Tells a refusal of this one file for good from a failure.
fn refused(side: Side, error: mirror_gitlab::Error) -> Result<Sent, SyncError> {
    match error.kind() {
        ErrorKind::NotFound if side == Side::Source => {
            Ok(Err("the file is gone from the source".to_owned()))
        }
        ErrorKind::SignIn => Ok(Err(
            "the source's GitLab is older than 17.4 and gives out files in the browser only"
                .to_owned(),
        )),
        ErrorKind::TooLarge => Ok(Err("over the target's own size limit".to_owned())),
        ErrorKind::Validation { .. } => Ok(Err(error
            .message()
            .unwrap_or("refused by the target")
            .to_owned())),
        ErrorKind::Unauthorized { .. }
        | ErrorKind::InsufficientScope { .. }
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Moved { .. }
        | ErrorKind::MethodNotAllowed
        | ErrorKind::Conflict(_)
        | ErrorKind::Spam { .. }
        | ErrorKind::Throttled { .. }
        | ErrorKind::Unavailable { .. }
        | ErrorKind::Transport(_)
        | ErrorKind::Input(_)
        | ErrorKind::Malformed { .. }
        | ErrorKind::Redirected { .. }
        | ErrorKind::UnprovenWalk
        | ErrorKind::Unsendable { .. }
        | ErrorKind::Withdrawn
        | ErrorKind::Refused => Err(SyncError::GitLab {
            side,
            source: error,
        }),
    }
}
