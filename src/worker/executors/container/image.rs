//! The image of a container: there already, or pulled with its progress in the log.
//!
//! A name with a digest is never pulled twice, a tag is looked for anew each time, since it may
//! have moved. Only where the registry is out of reach is the copy of last time good enough.

use std::collections::BTreeSet;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt as _;
use rustix::io::Errno;

use crate::worker::executors::NoPlace;
use crate::worker::spool::Spool;

/// How long a pull may take.
const TIME: Duration = Duration::from_secs(1800);
/// The longest name of an image.
const NAME_BYTES_MAX: usize = 512;
/// Where Podman puts images that were built here; there is no such registry.
const BUILT_HERE: &str = "localhost/";
/// What engines say when they cannot write, in small letters, and what it means.
const DISK_FAULTS: [(&str, Errno); 4] = [
    ("no space left on device", Errno::NOSPC),
    ("disk quota exceeded", Errno::DQUOT),
    ("input/output error", Errno::IO),
    ("read-only file system", Errno::ROFS),
];
/// What engines say when a registry does not answer, or not now; in small letters.
const OUT_OF_REACH: [&str; 15] = [
    "dial tcp",
    "connection refused",
    "connection reset",
    "no such host",
    "no route to host",
    "network is unreachable",
    "i/o timeout",
    "deadline exceeded",
    "handshake timeout",
    "timeout exceeded",
    "server misbehaving",
    "temporary failure in name resolution",
    "bad gateway",
    "service unavailable",
    "gateway timeout",
];

/// Sees to it that the engine has the image.
///
/// # Errors
/// If it has not: the message is PAPR's, why is in the log.
pub(super) async fn provide(docker: &Docker, image: &str, log: &mut Spool) -> Result<(), NoPlace> {
    let no_image = || NoPlace::Refused(format!("Could not pull image '{image}'."));
    if !is_name(image) {
        return Err(no_image());
    }
    let is_here = docker.inspect_image(image).await.is_ok();
    if is_here && (image.contains('@') || image.starts_with(BUILT_HERE)) {
        return Ok(());
    }
    if image.starts_with(BUILT_HERE) {
        log.note("### No such image is on the worker.").await?;
        return Err(no_image());
    }
    log.note(&format!("### Pulling image {image}")).await?;
    let pulled = tokio::time::timeout(TIME, pull(docker, image, log)).await;
    let pulled = pulled.unwrap_or_else(|_elapsed| Ok(Err("The pull took too long.".to_owned())));
    let Err(reason) = pulled? else {
        return Ok(());
    };
    log.note(&format!("### {}", one_line(&reason))).await?;
    if let Some(error) = of_its_disk(&reason) {
        return Err(NoPlace::Broken(error));
    }
    if !is_out_of_reach(&reason) {
        return Err(no_image());
    }
    if !is_here {
        return Err(NoPlace::Away(format!("Could not pull image '{image}'.")));
    }
    let note = "### The registry cannot be reached: the worker's copy of the image is used.";
    log.note(note).await?;
    Ok(())
}

/// What an engine says of its own disk: no image and no suite is to blame for that.
pub(super) fn of_its_disk(said: &str) -> Option<std::io::Error> {
    let said = said.to_lowercase();
    let known = DISK_FAULTS.iter().find(|(words, _)| said.contains(words));
    known.map(|(_, errno)| (*errno).into())
}

/// Pulls it; inside, why it was not pulled.
async fn pull(
    docker: &Docker,
    image: &str,
    log: &mut Spool,
) -> std::io::Result<Result<(), String>> {
    let options = CreateImageOptions {
        from_image: Some(with_tag(image)),
        ..CreateImageOptions::default()
    };
    let mut progress = docker.create_image(Some(options), None, None).boxed();
    let mut said = BTreeSet::new();
    while let Some(step) = progress.next().await {
        match step {
            Ok(step) => {
                if let Some(line) = line_of(&step)
                    && said.insert(line.clone())
                {
                    log.note(&line).await?;
                }
            }
            Err(Error::DockerStreamError { error }) => return Ok(Err(error)),
            Err(Error::DockerResponseServerError { message, .. }) => return Ok(Err(message)),
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
    Ok(Ok(()))
}

/// A step of the pull as a line; none for the many that only count bytes.
fn line_of(step: &CreateImageInfo) -> Option<String> {
    let status = step.status.as_deref().filter(|status| !status.is_empty())?;
    let id = step.id.as_deref().filter(|id| !id.is_empty());
    Some(one_line(&match id {
        Some(id) => format!("{id}: {status}"),
        None => status.to_owned(),
    }))
}

fn one_line(text: &str) -> String {
    text.trim().replace(char::is_control, " ")
}

/// Whether it can be an image's name at all; it becomes part of an address.
fn is_name(image: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&image.len())
        && image.bytes().all(letter)
        && image
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// Without a tag engines would pull every one that there is.
fn with_tag(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or_default();
    if last.contains([':', '@']) {
        image.to_owned()
    } else {
        format!("{image}:latest")
    }
}

fn is_out_of_reach(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    OUT_OF_REACH.iter().any(|words| reason.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_images_become_part_of_an_address() {
        for name in [
            "busybox",
            "registry.example.org:5000/a/b_c:1.2-x",
            "fedora@sha256:0123",
            "localhost/unit",
        ] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "a b", "a/../b", "/a", "a//b", "a?b", "a%2f", "é", "a\n"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn one_tag_is_pulled() {
        assert_eq!(with_tag("busybox"), "busybox:latest");
        assert_eq!(with_tag("here:5000/busybox"), "here:5000/busybox:latest");
        assert_eq!(with_tag("busybox:1"), "busybox:1");
        assert_eq!(with_tag("busybox@sha256:01"), "busybox@sha256:01");
    }

    #[test]
    fn a_full_disk_of_the_engines_is_not_the_images_fault() {
        let full =
            "writing blob: storing blob to file \"/var/tmp/x\": write: No space left on device";
        let kind = of_its_disk(full).unwrap().kind();
        assert_eq!(kind, std::io::ErrorKind::StorageFull);
        assert!(of_its_disk("manifest unknown").is_none());
    }

    #[test]
    fn a_refusal_is_told_from_a_registry_out_of_reach() {
        assert!(is_out_of_reach(
            "pinging container registry: Get \"https://r/v2/\": dial tcp: lookup r: no such host"
        ));
        for refusal in [
            "reading manifest 2 in r/x: manifest unknown",
            "requested access to the resource is denied",
            "unauthorized: authentication required",
        ] {
            assert!(!is_out_of_reach(refusal), "{refusal}");
        }
    }
}
