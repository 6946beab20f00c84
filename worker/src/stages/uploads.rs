//! Carries files from source to target.

use super::case::Case;
use crate::{SyncError, error::Side, events::Notice};
use futures_util::StreamExt;
use mirror_core::{
    issue::Discussion,
    mapping::{UploadKey, UploadOutcome},
    markdown::uploads::UploadRef,
    plan::Step,
    project::Visibility,
    render::mentioned_uploads,
};
use mirror_gitlab::{ByteStream, Download, ErrorKind, TransportError, TransportErrorKind};
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
        .map(|(upload, _)| key(case, upload))
        .collect();
    let known = case.cx.store.uploads(&keys).await?;
    for ((upload, only_hidden), key) in mentioned.into_iter().zip(keys) {
        let outcome = match known.get(&key) {
            Some(outcome) => outcome.clone(),
            None if only_hidden && case.link.target.project.visibility != Visibility::Private => {
                // Whoever has the link can open a file of a project they can see.
                let why = "a file of a confidential issue or internal note is not copied into a \
                           project that others can see";
                case.notice(Notice::UploadLeft {
                    why: why.to_owned(),
                });
                continue;
            }
            None if case.cx.plans_only() => {
                carried.steps.push(Step::TransferUpload {
                    filename: upload.filename.clone(),
                });
                let url = format!("/uploads/{}/{}", upload.secret, upload.filename);
                UploadOutcome::Transferred { url, size: 0 }
            }
            None => transfer(case, &upload, &key).await?,
        };
        if let UploadOutcome::Transferred { url, .. } = outcome {
            carried.urls.insert(upload, url);
        }
    }
    Ok(carried)
}

fn key(case: &Case<'_>, upload: &UploadRef) -> UploadKey {
    UploadKey {
        source_instance: case.link.source.instance,
        source_project: case.link.source.project.id,
        secret: upload.secret.clone(),
        filename: upload.filename.clone(),
        target_instance: case.link.target.instance,
        target_project: case.link.target.project.id,
    }
}

async fn transfer(
    case: &mut Case<'_>,
    upload: &UploadRef,
    key: &UploadKey,
) -> Result<UploadOutcome, SyncError> {
    let outcome = match send(case, upload).await? {
        Ok(outcome) => {
            case.done.attachments += 1;
            case.lease.file_carried();
            outcome
        }
        Err(reason) => {
            case.notice(Notice::UploadLeft {
                why: reason.clone(),
            });
            UploadOutcome::Refused { reason }
        }
    };
    Ok(case.cx.store.record_upload(key, &outcome).await?)
}

/// One file, streamed. The inner error is a refusal for good, in words for a person.
async fn send(
    case: &Case<'_>,
    upload: &UploadRef,
) -> Result<Result<UploadOutcome, String>, SyncError> {
    let (source, target) = (&case.link.source, &case.link.target);
    let version = source.metadata.major_minor;
    let opened = source
        .client
        .download_upload(&source.project, &upload.secret, &upload.filename, version)
        .await;
    let Download { length, stream } = match opened {
        Ok(download) => download,
        Err(error) => return refused(Side::Source, error),
    };
    let limit = case.link.settings.max_attachment;
    let too_large = format!("larger than --max-attachment-size ({limit} bytes)");
    if length.is_some_and(|length| length > limit) {
        return Ok(Err(too_large));
    }
    case.cx.may_write(case.lease)?;
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
            Ok(Ok(UploadOutcome::Transferred {
                url: uploaded.url,
                size,
            }))
        }
        Err(_) if cut.load(Ordering::Acquire) => Ok(Err(too_large)),
        Err(error) => refused(Side::Target, error),
    }
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
fn refused(
    side: Side,
    error: mirror_gitlab::Error,
) -> Result<Result<UploadOutcome, String>, SyncError> {
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
        | ErrorKind::Refused => Err(SyncError::GitLab {
            side,
            source: error,
        }),
    }
}
