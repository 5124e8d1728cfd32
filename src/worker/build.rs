//! The build by the conventions of autotools (PAPR's build API), as commands.

use std::path::Path;

use paprq_core::suite::Build;

/// What makes `configure` where the repository has none; the first that is there is run.
const GENERATORS: [&str; 2] = ["autogen.sh", "autogen"];

/// The commands that build and install what is in this working copy.
pub(super) fn commands(build: &Build, checkout: &Path) -> Vec<String> {
    // Not followed where it is a link: strangers choose where it would lead to.
    let is_there = |name: &str| checkout.join(name).symlink_metadata().is_ok();
    let generator = GENERATORS
        .into_iter()
        .find(|name| !is_there("configure") && is_there(name));
    generator
        .map(|name| format!("NOCONFIGURE=1 ./{name}"))
        .into_iter()
        .chain([
            with_options("./configure", &build.config_opts),
            with_options("make all --jobs $(nproc)", &build.build_opts),
            with_options("make install", &build.install_opts),
        ])
        .collect()
}

/// The options are a piece of shell, as PAPR took them; a folded text ends in a line end.
fn with_options(command: &str, options: &str) -> String {
    format!("{command} {}", options.trim_end_matches('\n'))
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands_with(files: &[&str]) -> Vec<String> {
        let checkout = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::write(checkout.path().join(file), "").unwrap();
        }
        let build = Build {
            config_opts: "--prefix=/usr CFLAGS='-g -O0'\n".to_owned(),
            build_opts: String::new(),
            install_opts: "DESTDIR=\"$PWD/out\"".to_owned(),
        };
        commands(&build, checkout.path())
    }

    #[test]
    fn options_go_to_the_step_that_they_are_for() {
        assert_eq!(
            commands_with(&["configure", "autogen.sh"]),
            [
                "./configure --prefix=/usr CFLAGS='-g -O0'",
                "make all --jobs $(nproc)",
                "make install DESTDIR=\"$PWD/out\"",
            ]
        );
    }

    #[test]
    fn configure_is_made_where_there_is_none() {
        let first = |files: &[&str]| commands_with(files).swap_remove(0);
        assert_eq!(first(&["autogen"]), "NOCONFIGURE=1 ./autogen");
        assert_eq!(
            first(&["autogen", "autogen.sh"]),
            "NOCONFIGURE=1 ./autogen.sh"
        );
        assert!(first(&[]).starts_with("./configure "));
    }
}
