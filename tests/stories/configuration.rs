//! A configuration that cannot be used.

use std::process::Command;

#[test]
fn every_fault_of_a_configuration_is_named_at_once_with_line_and_remedy_and_exit_status_2() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cfg.toml");
    let text = "[github]\naccess_tokn = \"t\"\n[web]\nport = \"many\"\n[repo.x]\nowner = \"o\"\n";
    std::fs::write(&file, text).unwrap();
    for subcommand in ["serve", "check"] {
        let output = Command::new(env!("CARGO_BIN_EXE_paprq"))
            .args([subcommand, "-c"])
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{subcommand}");
        let errors = String::from_utf8(output.stderr).unwrap();
        for (place, what) in [
            ("cfg.toml:2", "access_token"),
            ("cfg.toml:4", "port"),
            ("cfg.toml:5", "name"),
        ] {
            let named = errors
                .lines()
                .any(|line| line.contains(place) && line.contains(what));
            assert!(named, "{place} {what}\n{errors}");
        }
    }
}
