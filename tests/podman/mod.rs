//! A Podman of the test's own: its storage, networks and images are in a temporary directory.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Where busybox is on Debian; it needs nothing else.
const BUSYBOX: &str = "/bin/busybox";
/// The image of most tests: busybox alone.
pub(crate) const IMAGE: &str = "localhost/unit:1";

/// An image on its way to the engine.
type Archive = tar::Builder<ChildStdin>;

/// Ends everything when it is dropped.
pub(crate) struct Podman {
    directory: tempfile::TempDir,
    service: Child,
}

impl Podman {
    /// Starts one that has [`IMAGE`].
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// The same, with these lines more in `[containers]`.
    pub(crate) fn start_with(configuration: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        configure(directory.path(), configuration);
        let address = format!("unix://{}", directory.path().join("socket").display());
        let service = podman(directory.path())
            .args(["system", "service", "--time", "0", &address])
            .spawn()
            .expect("podman runs (package podman)");
        let podman = Self { directory, service };
        podman.add_image(IMAGE, &[]);
        podman
    }

    /// Adds an image of busybox and these programs.
    pub(crate) fn add_image(&self, name: &str, programs: &[(&str, &[u8])]) {
        self.import(name, |archive| {
            let busybox =
                std::fs::read(BUSYBOX).expect("busybox is there (package busybox-static)");
            add(archive, "bin/busybox", &busybox);
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(0o1777);
            header.set_size(0);
            archive
                .append_data(&mut header, "tmp", std::io::empty())
                .unwrap();
            let applets = Command::new(BUSYBOX).arg("--list").output().unwrap().stdout;
            for applet in String::from_utf8(applets).unwrap().lines() {
                let own = |(path, _): &(&str, &[u8])| *path == format!("bin/{applet}");
                if applet != "busybox" && !programs.iter().any(own) {
                    let mut header = tar::Header::new_gnu();
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_size(0);
                    let path = format!("bin/{applet}");
                    archive.append_link(&mut header, path, "busybox").unwrap();
                }
            }
            for (path, program) in programs {
                add(archive, path, program);
            }
        });
    }

    /// Adds an image of what is put into the archive; see [`add`].
    pub(crate) fn import(&self, name: &str, fill: impl FnOnce(&mut Archive)) {
        let mut child = podman(self.directory.path())
            .args(["import", "--quiet", "-", name])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut archive = tar::Builder::new(child.stdin.take().unwrap());
        fill(&mut archive);
        drop(archive.into_inner().unwrap());
        assert!(child.wait().unwrap().success());
    }

    /// Where it listens, once it does.
    pub(crate) async fn address(&self) -> String {
        let socket = self.directory.path().join("socket");
        while !socket.exists() {
            tokio::task::yield_now().await;
        }
        format!("unix://{}", socket.display())
    }

    /// Runs podman and returns what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let done = podman(self.directory.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// The names of all containers that there are, running or not.
    pub(crate) fn containers(&self) -> Vec<String> {
        let names = self.run(&["ps", "--all", "--format", "{{.Names}}"]);
        names.lines().map(str::to_owned).collect()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _already_dead = self.service.kill();
        let _reaped = self.service.wait();
        let directory = self.directory.path();
        let removal = ["rm", "--all", "--force", "--time", "0"];
        let _nothing_there = podman(directory).args(removal).output();
        // Each exec leaves a process that would clean up, and make directories anew, minutes later.
        for process in with_marker(&format!("{}/", directory.display())) {
            let number = process
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok());
            if let Some(process) = number.and_then(rustix::process::Pid::from_raw) {
                let signal = rustix::process::Signal::KILL;
                let _already_dead = rustix::process::kill_process(process, signal);
            }
        }
        let reset = ["system", "reset", "--force"];
        let _nothing_left = podman(directory).args(reset).output();
    }
}

/// The directories in /proc of other processes with this text in their command line.
pub(crate) fn with_marker(marker: &str) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name() != *std::process::id().to_string())
        .map(|entry| entry.path())
        .filter(move |process| {
            std::fs::read(process.join("cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(marker))
        })
}

fn podman(directory: &Path) -> Command {
    let mut command = Command::new("podman");
    command
        .env("CONTAINERS_CONF", directory.join("containers.conf"))
        .env("CONTAINERS_STORAGE_CONF", directory.join("storage.conf"))
        .env("XDG_RUNTIME_DIR", directory.join("runtime"))
        // What it starts leaves notes wherever it was started.
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Small limits, because raising them takes more rights than a container of builds may have.
fn configure(directory: &Path, containers: &str) {
    let here = directory.display();
    let conf = format!(
        "[containers]\n\
         default_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n\
         {containers}\n\
         [engine]\n\
         runtime = \"runc\"\n\
         cgroup_manager = \"cgroupfs\"\n\
         events_logger = \"none\"\n\
         tmp_dir = \"{here}/tmp\"\n\
         [network]\n\
         network_config_dir = \"{here}/networks\"\n"
    );
    std::fs::write(directory.join("containers.conf"), conf).unwrap();
    let storage = format!(
        "[storage]\ndriver = \"overlay\"\nrunroot = \"{here}/run\"\ngraphroot = \"{here}/root\"\n"
    );
    std::fs::write(directory.join("storage.conf"), storage).unwrap();
    std::fs::create_dir(directory.join("runtime")).unwrap();
}

/// Puts a program or any file into an image.
pub(crate) fn add(archive: &mut Archive, path: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, path, bytes).unwrap();
}
