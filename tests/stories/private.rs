//! What the server keeps is for its own user alone, whatever rights it was started with.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::world::{Settings, World};

const SUITES: &str = "\
context: unit
sandbox: true
branches: [auto]
artifacts: [made]
tests:
  - sh fine.sh
  - umask > made
  - test \"$(umask)\" = 0000
  - stat -c %a made fine.sh
";

/// Everything below a directory that somebody else has rights on.
fn open_to_others(root: &Path) -> Vec<(PathBuf, String)> {
    let mut waiting = vec![root.to_owned()];
    let mut open = Vec::new();
    while let Some(path) = waiting.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        if !found.is_symlink() && found.mode() & 0o077 != 0 {
            open.push((path.clone(), format!("{:o}", found.mode())));
        }
        // What suites do with their own working copies is their business.
        if found.is_dir() && !path.ends_with("cache/workers") {
            waiting.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
    open
}

fn kept(world: &World) -> Vec<(PathBuf, String)> {
    let files = ["paprq.db", "paprq.db-wal", "paprq.db-shm", "paprq.db.lock"];
    let files = files.map(|name| world.path(name)).into_iter();
    let trees = ["cache", "storage"].map(|name| world.path(name));
    let there = files.filter(|path| path.exists()).chain(trees);
    there.flat_map(|path| open_to_others(&path)).collect()
}

fn open_to_all(root: &Path) {
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_symlink() {
            continue;
        }
        let mode = found.mode() & 0o777 | if found.is_dir() { 0o777 } else { 0o066 };
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        if found.is_dir() {
            waiting.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_reads_what_is_kept_and_suites_have_the_rights_that_were_given() {
    let mut world = World::start_with(Settings {
        umask: Some(0),
        files: vec![(".papr.yml".to_owned(), SUITES.to_owned())],
        ..Settings::default()
    })
    .await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert_eq!(kept(&world), []);

    world.stop_server();
    for name in ["paprq.db", "paprq.db.lock", "cache", "storage"] {
        open_to_all(&world.path(name));
    }
    let (here, elsewhere) = (world.path("storage/logs/link"), world.path("elsewhere"));
    fs::write(&elsewhere, "not ours").unwrap();
    open_to_all(&elsewhere);
    std::os::unix::fs::symlink(&elsewhere, here).unwrap();
    world.start_server();
    world
        .until_logged("what was kept is closed to other users", 2)
        .await;
    assert_eq!(kept(&world), []);
    assert_eq!(fs::metadata(&elsewhere).unwrap().mode() & 0o777, 0o666);
}
